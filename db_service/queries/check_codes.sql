-- Of one in $1 keys: how many there are, how many vectors have no code, codes no vector, and codes that are not those of their
-- vector. What is in fresh_codes holds instead.
WITH held AS (
    SELECT c.repo_name, c.path, c.model, c.half FROM db_service.embedding_codes c
    WHERE pg_catalog.hashtextextended(c.path, 0) % $1::bigint = 0
      AND NOT EXISTS (SELECT FROM db_service.fresh_codes f WHERE f.repo_name = c.repo_name AND f.path = c.path)
    UNION ALL
    SELECT f.repo_name, f.path, f.model, f.half FROM db_service.fresh_codes f
    WHERE f.half IS NOT NULL AND pg_catalog.hashtextextended(f.path, 0) % $1 = 0
), vectors AS (
    SELECT e.repo_name, e.path, e.model::text AS model, e.embedding FROM public.embeddings e
    WHERE pg_catalog.hashtextextended(e.path, 0) % $1 = 0
)
SELECT pg_catalog.count(*) AS "compared!",
       pg_catalog.count(*) FILTER (WHERE h.path IS NULL) AS "missing!",
       pg_catalog.count(*) FILTER (WHERE v.path IS NULL) AS "surplus!",
       pg_catalog.count(*) FILTER (
           WHERE h.path IS NOT NULL AND v.path IS NOT NULL
             AND (h.model <> v.model OR h.half OPERATOR(public.<>) public.l2_normalize(v.embedding)::public.halfvec(768)))
           AS "different!"
FROM held h FULL JOIN vectors v ON v.repo_name = h.repo_name AND v.path = h.path
