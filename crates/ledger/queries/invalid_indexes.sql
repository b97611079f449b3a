-- Indexes that a killed build left behind; those being built right now are not counted.
SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS "name!"
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE NOT i.indisvalid
  AND n.nspname !~ '^(pg_|_timescaledb_|information_schema$)'
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_stat_progress_create_index p WHERE p.index_relid = i.indexrelid)
ORDER BY 1
