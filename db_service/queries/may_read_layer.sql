-- Whether this role may read how the layer is: all of its tables. Where there is no layer it may not.
SELECT COALESCE((SELECT pg_catalog.has_schema_privilege(n.oid, 'USAGE') FROM pg_catalog.pg_namespace n WHERE n.nspname = 'db_service')
    AND bool_and(pg_catalog.has_table_privilege(c.oid, 'SELECT')), false) AS "may!"
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'db_service'
WHERE c.relkind IN ('r', 'v', 'p')
