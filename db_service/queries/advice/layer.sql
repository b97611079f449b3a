-- What there is of the layer, from the catalog alone: this role need not be allowed to look into `db_service`.
SELECT COALESCE(pg_catalog.bool_or(c.relname = 'layout'), false) AS "is_there!",
       COALESCE(pg_catalog.bool_or(c.relname = 'layout' AND may.read), false) AS "may_read_layout!",
       COALESCE(pg_catalog.bool_or(c.relname = 'layout_policy' AND may.read), false) AS "may_read_policy!",
       COALESCE(pg_catalog.bool_or(c.relname = 'codes' AND may.read), false) AS "may_read_codes!",
       -- Versions, by which results are kept, are kept themselves.
       EXISTS (SELECT FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class r ON r.oid = t.tgrelid
               JOIN pg_catalog.pg_namespace s ON s.oid = r.relnamespace
               WHERE s.nspname = 'public' AND r.relname = 'embeddings' AND t.tgname LIKE 'singularity\_kept\_version%')
           AS "keeps_versions!"
FROM pg_catalog.pg_namespace n
LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname IN ('layout', 'layout_policy', 'codes')
CROSS JOIN LATERAL (
    SELECT pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_table_privilege(c.oid, 'SELECT') AS read) may
WHERE n.nspname = 'db_service'
