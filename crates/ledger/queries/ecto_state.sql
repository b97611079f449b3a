-- Whose `schema_migrations` is it, and is there anything in `public` that no extension brought?
SELECT (SELECT pg_catalog.format_type(a.atttypid, a.atttypmod)
        FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = pg_catalog.to_regclass('public.schema_migrations')
          AND a.attname = 'version' AND NOT a.attisdropped) AS version_type,
       EXISTS (SELECT 1
               FROM pg_catalog.pg_class c
               WHERE c.relnamespace = pg_catalog.to_regnamespace('public')
                 AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
                 AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d
                                 WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                                   AND d.objid = c.oid AND d.deptype = 'e')) AS "has_relations!"
