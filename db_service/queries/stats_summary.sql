-- By type as a whole (slot null), and by type and slot of time. What a clock that was wrong has put into the future counts as the
-- last slot.
WITH measured AS (
    SELECT s.query_type, s.execution_time_ms AS took, s.cache_hit,
           LEAST($2::integer, pg_catalog.width_bucket(
               extract(epoch FROM s.inserted_at), extract(epoch FROM pg_catalog.now() - $1::interval), extract(epoch FROM pg_catalog.now()), $2::integer)) AS slot
    FROM public.rag_performance_stats s
    WHERE s.inserted_at >= pg_catalog.now() - $1::interval AND ($3::text IS NULL OR s.query_type = $3)
)
SELECT m.query_type AS "query_type!", m.slot, pg_catalog.count(*) AS "queries!",
       pg_catalog.count(*) FILTER (WHERE m.cache_hit) AS "hits!",
       pg_catalog.percentile_cont(ARRAY[0.5, 0.95, 0.99, 1.0]) WITHIN GROUP (ORDER BY m.took) AS "percentiles!"
FROM measured m
GROUP BY GROUPING SETS ((m.query_type), (m.query_type, m.slot))
ORDER BY pg_catalog.sum(pg_catalog.count(*)) OVER (PARTITION BY m.query_type) DESC, m.query_type, m.slot NULLS FIRST
