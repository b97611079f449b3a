-- Desired against actual number of leaves.
SELECT l.table_name, l.leaves AS desired,
       (SELECT pg_catalog.count(*)::integer FROM pg_catalog.pg_inherits i
        WHERE i.inhparent = pg_catalog.to_regclass(pg_catalog.format('public.%I', l.table_name))) AS "actual!"
FROM db_service.layout l
ORDER BY l.table_name
