-- Copies the next vectors into the codes, and keeps in the journal how far it came; how many there were.
WITH batch AS MATERIALIZED (
    (SELECT e.repo_name, e.path, e.model, e.embedding
     FROM public.embeddings e
     WHERE (e.repo_name, e.path) > (SELECT c.copied_repo_name, c.copied_path FROM db_service.codes c)
     ORDER BY e.repo_name, e.path
     LIMIT $1)
    UNION ALL
    -- No key is less than this one, where the journal begins.
    SELECT e.repo_name, e.path, e.model, e.embedding
    FROM public.embeddings e
    WHERE e.repo_name = '' AND e.path = ''
      AND EXISTS (SELECT FROM db_service.codes c WHERE c.copied_repo_name = '' AND c.copied_path = '')
), put AS (
    -- One that is there was folded since, and is newer.
    INSERT INTO db_service.embedding_codes (repo_name, path, model, half)
    SELECT b.repo_name, b.path, b.model, public.l2_normalize(b.embedding)::public.halfvec(768) FROM batch b
    ON CONFLICT DO NOTHING
), come AS (
    UPDATE db_service.codes c SET copied_repo_name = l.repo_name, copied_path = l.path
    FROM (SELECT b.repo_name, b.path FROM batch b ORDER BY b.repo_name DESC, b.path DESC LIMIT 1) l
)
SELECT pg_catalog.count(*) AS "copied!" FROM batch
