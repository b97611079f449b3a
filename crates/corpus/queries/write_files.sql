-- What is there already is not touched: no row version, no number of the sequence. In the order of the key, so that two who
-- load the same do not wait for each other in a ring.
INSERT INTO public.code_files AS c (repo_name, file_path, content, content_hash, size_bytes, language)
SELECT s.repo_name, s.file_path, s.content, s.content_hash, s.size_bytes, s.language
FROM pg_temp.corpus_file s
WHERE NOT EXISTS (
    SELECT FROM public.code_files known
    WHERE known.repo_name = s.repo_name
        AND known.file_path = s.file_path
        AND (known.content_hash, known.language) IS NOT DISTINCT FROM (s.content_hash, s.language)
)
ORDER BY s.repo_name, s.file_path
ON CONFLICT (repo_name, file_path) DO UPDATE
SET content = excluded.content,
    content_hash = excluded.content_hash,
    size_bytes = excluded.size_bytes,
    language = excluded.language,
    updated_at = now()
WHERE (c.content_hash, c.language) IS DISTINCT FROM (excluded.content_hash, excluded.language)
