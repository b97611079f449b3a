-- What there is to fill the server's memory with, and whether it was filled since the server was started.
SELECT pg_catalog.current_setting('pg_prewarm.autoprewarm', true) = 'on' AS is_automatic,
       pg_catalog.pg_size_bytes(pg_catalog.current_setting('shared_buffers')) AS "buffers!",
       (SELECT n.nspname::text FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
        WHERE e.extname = 'pg_prewarm') AS schema,
       EXISTS (SELECT FROM db_service.warmed w WHERE w.started_at = pg_catalog.pg_postmaster_start_time()) AS "is_warm!"
