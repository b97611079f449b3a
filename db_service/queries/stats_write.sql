-- Each so long ago as the process that measured it says: a clock of its own that is wrong, or jumps, changes nothing.
INSERT INTO public.rag_performance_stats (inserted_at, query_type, repo_name, execution_time_ms, rows_returned, cache_hit)
SELECT pg_catalog.clock_timestamp() - s.age, s.query_type, s.repo_name, s.took, s.returned, s.is_hit
FROM ROWS FROM (
    pg_catalog.unnest($1::interval[]), pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::text[]),
    pg_catalog.unnest($4::double precision[]), pg_catalog.unnest($5::integer[]), pg_catalog.unnest($6::boolean[]))
    s (age, query_type, repo_name, took, returned, is_hit)
