SELECT count(*)
FROM unnest($1::text[], $2::text[], $3::bytea[], $4::text[]) s (repo_name, file_path, content_hash, language)
WHERE NOT EXISTS (
    SELECT FROM public.code_files known
    WHERE known.repo_name = s.repo_name
        AND known.file_path = s.file_path
        AND (known.content_hash, known.language) IS NOT DISTINCT FROM (s.content_hash, s.language)
)
