-- $1: the model. A path has one vector: that of another model is replaced. Looked up by the key and compared then: the model
-- is in an index too, which has all rows of it, and of which nobody has told the planner that they are many.
INSERT INTO public.embeddings AS e (repo_name, path, model, content_hash, embedding)
SELECT s.repo_name, s.path, $1, s.content_hash, s.embedding
FROM pg_temp.corpus_vector s
WHERE (
    SELECT known.model = $1 AND known.content_hash = s.content_hash
    FROM public.embeddings known
    WHERE known.repo_name = s.repo_name AND known.path = s.path
) IS NOT TRUE
ORDER BY s.repo_name, s.path
ON CONFLICT (repo_name, path) DO UPDATE
SET model = excluded.model, content_hash = excluded.content_hash, embedding = excluded.embedding
WHERE (e.model, e.content_hash) IS DISTINCT FROM (excluded.model, excluded.content_hash)
