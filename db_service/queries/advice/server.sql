-- The server's settings as far as they are about memory, how large the database is, and who is connected to it.
SELECT pg_catalog.pg_size_bytes(pg_catalog.current_setting('shared_buffers')) AS "shared_buffers!",
       pg_catalog.pg_size_bytes(pg_catalog.current_setting('effective_cache_size')) AS "effective_cache_size!",
       EXISTS (SELECT FROM pg_catalog.pg_settings s WHERE s.name = 'effective_cache_size' AND s.source <> 'default')
           AS "is_cache_size_set!",
       pg_catalog.pg_size_bytes(pg_catalog.current_setting('maintenance_work_mem')) AS "maintenance_work_mem!",
       pg_catalog.current_setting('max_parallel_maintenance_workers')::integer AS "parallel_builders!",
       pg_catalog.pg_is_in_recovery() AS "is_standby!",
       pg_catalog.pg_database_size(d.oid) AS "database_bytes!",
       -- What kind of session another role's is, is hidden from some; background workers have no user.
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity a
        WHERE a.datid = d.oid AND a.usesysid IS NOT NULL AND a.pid <> pg_catalog.pg_backend_pid()
          AND COALESCE(a.backend_type, 'client backend') = 'client backend') AS "sessions!"
FROM pg_catalog.pg_database d
WHERE d.datname = pg_catalog.current_database()
