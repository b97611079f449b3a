-- A file that has changed may have fewer parts, or only one: those that it no longer has go. $1: the model,
-- compared in a way that no index knows: that of the models would give all rows for each file.
DELETE FROM public.embeddings e
USING pg_temp.corpus_file s, public.code_files c
WHERE c.repo_name = s.repo_name
    AND c.file_path = s.file_path
    AND c.content_hash <> s.content_hash
    AND e.repo_name = s.repo_name
    AND (e.model = $1) IS TRUE
    AND (e.path = s.file_path OR starts_with(e.path, s.file_path || '#'))
    AND NOT EXISTS (
        SELECT FROM pg_temp.corpus_vector v WHERE v.repo_name = e.repo_name AND v.path = e.path
    )
