WITH old AS (
    SELECT s.id, s.inserted_at FROM public.rag_performance_stats s
    WHERE s.inserted_at < LEAST(pg_catalog.now(), (SELECT max(n.inserted_at) FROM public.rag_performance_stats n)) - $1::interval
    ORDER BY s.inserted_at LIMIT $2)
DELETE FROM public.rag_performance_stats s USING old o WHERE s.id = o.id AND s.inserted_at = o.inserted_at
