-- What a relayout makes beside a table and takes away at its end, where no job is on its way for that table.
SELECT pg_catalog.format('table `%s.%s`', n.nspname, c.relname) AS "object!"
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p')
  AND (n.nspname IN ('db_service_new', 'db_service_old')
       OR n.nspname ~ $1 AND NOT c.relispartition
       OR n.nspname = 'db_service' AND c.relname LIKE 'relayout\_log\_%')
  AND NOT EXISTS (SELECT 1 FROM db_service.relayout_job j
                  WHERE j.phase NOT IN ('cleaned', 'abandoned')
                    AND c.relname IN (j.table_name, 'relayout_log_' || j.table_name))
UNION ALL
SELECT pg_catalog.format('trigger `%s` of `%s.%s`', t.tgname, n.nspname, c.relname)
FROM pg_catalog.pg_trigger t
JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE t.tgname LIKE 'singularity\_relayout\_%' AND NOT t.tgisinternal AND t.tgparentid = 0
  AND NOT EXISTS (SELECT 1 FROM db_service.relayout_job j
                  WHERE j.phase NOT IN ('cleaned', 'abandoned') AND c.relname = j.table_name)
ORDER BY 1
