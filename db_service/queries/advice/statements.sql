-- What searches have taken, as far as this role may see their texts. The schema of pg_stat_statements stands in for {schema}.
SELECT COALESCE(pg_catalog.sum(s.calls) FILTER (WHERE is_search), 0)::bigint,
       COALESCE(pg_catalog.sum(s.total_exec_time) FILTER (WHERE is_search), 0)::double precision,
       COALESCE(pg_catalog.max(s.mean_exec_time) FILTER (WHERE is_search), 0)::double precision,
       pg_catalog.count(*) FILTER (WHERE s.queryid IS NULL)
FROM {schema}.pg_stat_statements s
CROSS JOIN LATERAL (
    -- The functions of 005_search, or a distance by which is ordered; not what builds an index or asks for a plan.
    SELECT s.query ~* 'search_(in_repositor|across)|order by.*<=>' AND s.query !~* '^\s*(explain|create|/\*|copy)' AS is_search) kind
WHERE s.toplevel AND s.dbid = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
