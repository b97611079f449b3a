-- What bootstrap has to know about the database that this connection is in.
SELECT pg_catalog.current_setting('singularity.environment', true) AS environment,
       pg_catalog.current_setting('server_encoding') AS "encoding!",
       ARRAY(SELECT extname::text FROM pg_catalog.pg_extension ORDER BY extname) AS "extensions!",
       ARRAY(SELECT extversion FROM pg_catalog.pg_extension ORDER BY extname) AS "versions!",
       EXISTS (SELECT 1
               FROM pg_catalog.pg_class c
               WHERE c.relnamespace = pg_catalog.to_regnamespace('public') AND c.relkind IN ('r', 'p')) AS "has_relations!"
