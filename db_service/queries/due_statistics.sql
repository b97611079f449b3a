-- Those that are older. Counted no further than a thousand.
SELECT count(*) AS "old!"
FROM (SELECT FROM public.rag_performance_stats s WHERE s.inserted_at < $1::text::timestamptz LIMIT 1000) s
