SELECT count(*)
FROM unnest($1::text[], $2::text[], $3::bytea[]) s (repo_name, path, content_hash)
WHERE (
    SELECT known.model = $4 AND known.content_hash = s.content_hash
    FROM public.embeddings known
    WHERE known.repo_name = s.repo_name AND known.path = s.path
) IS NOT TRUE
