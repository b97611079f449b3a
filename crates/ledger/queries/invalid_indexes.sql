-- Indexes that a killed build left behind, or that lack a part; those being built right now are not counted.
SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS "name!", c.relkind = 'I' AS "is_partitioned!"
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE NOT i.indisvalid
  AND n.nspname !~ '^(pg_|_timescaledb_|information_schema$)'
  -- Of a build of another role the server tells that it goes on, and not of which index: its lock tells the table.
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_stat_progress_create_index p
                  LEFT JOIN pg_catalog.pg_locks l
                         ON l.pid = p.pid AND l.relation = i.indrelid
                            AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
                  WHERE p.index_relid = i.indexrelid OR (p.index_relid IS NULL AND l.pid IS NOT NULL))
ORDER BY 1
