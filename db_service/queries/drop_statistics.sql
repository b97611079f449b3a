WITH old AS (
    SELECT s.id, s.inserted_at FROM public.rag_performance_stats s
    WHERE s.inserted_at < $1::text::timestamptz ORDER BY s.inserted_at LIMIT $2)
DELETE FROM public.rag_performance_stats s USING old o WHERE s.id = o.id AND s.inserted_at = o.inserted_at
