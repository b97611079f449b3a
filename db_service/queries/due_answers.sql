-- Answers of language models that nobody is given any more; counted no further than a thousand.
SELECT count(*) AS "expired!"
FROM (SELECT FROM public.llm_semantic_cache a WHERE a.expires_at <= pg_catalog.now() LIMIT 1000) a
