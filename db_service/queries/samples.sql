-- Stored vectors to search for, always the same ones of the same rows; in one repository, if $1 names one.
SELECT e.repo_name AS "repository!", e.path AS "path!", e.model::text AS "model!",
       -- pgvector writes vectors as JSON does.
       e.embedding::text::json AS "vector!: sqlx::types::Json<Vec<f32>>"
FROM public.embeddings e
WHERE ($1::text IS NULL OR e.repo_name = $1) AND public.vector_norm(e.embedding) > 0
ORDER BY pg_catalog.md5(e.repo_name || '/' || e.path) LIMIT $2
