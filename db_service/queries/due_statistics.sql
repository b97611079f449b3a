-- What is older than it is kept, by the newest there is: where a clock has jumped ahead, nothing goes for that alone. Counted no
-- further than a thousand.
SELECT count(*) AS "old!"
FROM (SELECT FROM public.rag_performance_stats s
      WHERE s.inserted_at < LEAST(pg_catalog.now(), (SELECT max(n.inserted_at) FROM public.rag_performance_stats n)) - $1::interval
      LIMIT 1000) s
