-- Which of the named relations and functions are not there? A name with parentheses is a function.
SELECT wanted AS "name!"
FROM pg_catalog.unnest($1::text[]) AS wanted
WHERE CASE WHEN wanted LIKE '%(%' THEN pg_catalog.to_regprocedure(wanted) IS NULL
           ELSE pg_catalog.to_regclass(wanted) IS NULL END
