-- The functions that the application calls; which of them depends on the scope.
SELECT s.repo_name AS "repository!", s.path AS "path!", s.distance AS "distance!", s.way AS "way!"
FROM db_service.search_in_repository($1::text, $3::text::public.vector, $4::integer, $5::text, $6::text, $7::text, $8::jsonb, $9::text) s
WHERE $1 IS NOT NULL
UNION ALL
SELECT s.repo_name, s.path, s.distance, s.way
FROM db_service.search_many($2::text[], $3::text::public.vector, $4::integer, $5::text, $6::text, $7::text, $8::jsonb, $9::text) s
WHERE $1 IS NULL
