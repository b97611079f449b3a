-- The hash leaves of a partitioned table, with the schema that each lives in.
SELECT n.nspname AS "schema!", c.relname AS "name!",
       pg_catalog.substring(pg_catalog.pg_get_expr(c.relpartbound, c.oid), 'modulus (\d+)')::integer AS modulus,
       pg_catalog.substring(pg_catalog.pg_get_expr(c.relpartbound, c.oid), 'remainder (\d+)')::integer AS remainder,
       i.inhdetachpending AS "detach_pending!"
FROM pg_catalog.pg_inherits i
JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE i.inhparent = pg_catalog.to_regclass($1)
ORDER BY 3, 4
