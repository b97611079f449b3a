-- Desired against actual number of leaves, and the job that is on its way from one to the other.
SELECT l.table_name, l.partition_key, l.leaves AS desired,
       (SELECT pg_catalog.count(*)::integer FROM pg_catalog.pg_inherits i
        WHERE i.inhparent = pg_catalog.to_regclass(pg_catalog.format('public.%I', l.table_name))) AS "actual!",
       (SELECT j.phase FROM db_service.relayout_job j
        WHERE j.table_name = l.table_name AND j.phase NOT IN ('cleaned', 'abandoned')) AS phase
FROM db_service.layout l
ORDER BY l.table_name
