-- What somebody else has locked is left to them, or to the next time.
WITH expired AS (
    SELECT a.id FROM public.llm_semantic_cache a
    WHERE a.expires_at <= pg_catalog.now() ORDER BY a.expires_at LIMIT $1 FOR UPDATE SKIP LOCKED)
DELETE FROM public.llm_semantic_cache a USING expired e WHERE a.id = e.id
