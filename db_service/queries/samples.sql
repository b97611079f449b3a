-- Stored vectors to search for, always the same ones of the same rows; in one repository, if $1 names one.
WITH chosen AS MATERIALIZED (
    SELECT e.repo_name, e.path, e.model::text AS model, e.embedding
    FROM public.embeddings e
    WHERE ($1::text IS NULL OR e.repo_name = $1) AND public.vector_norm(e.embedding) > 0
    ORDER BY pg_catalog.md5(e.repo_name || '/' || e.path) LIMIT $2
)
-- pgvector writes vectors as JSON does; here it writes those that were chosen and no others.
SELECT c.repo_name AS "repository!", c.path AS "path!", c.model AS "model!",
       c.embedding::text::json AS "vector!: sqlx::types::Json<Vec<f32>>"
FROM chosen c
