-- The codes of embeddings: what is declared, how far they are, and who may read what they are made of.
WITH readers AS (
    -- Roles that may read a table, but for the owner of the codes.
    SELECT DISTINCT r.oid AS relid, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::pg_catalog.regrole::text END AS role
    FROM pg_catalog.pg_class r
    CROSS JOIN LATERAL pg_catalog.aclexplode(COALESCE(r.relacl, pg_catalog.acldefault('r', r.relowner))) a
    WHERE a.privilege_type = 'SELECT'
      AND a.grantee <> (SELECT d.relowner FROM pg_catalog.pg_class d WHERE d.oid = 'db_service.embedding_codes'::pg_catalog.regclass)
      AND r.oid IN (pg_catalog.to_regclass('public.embeddings'), 'db_service.embedding_codes'::pg_catalog.regclass)
)
SELECT c.form AS "form!",
       c.built,
       c.copied_path IS NOT NULL AS "is_begun!",
       -- The triggers are there, so nothing is missed from now on.
       NOT EXISTS (SELECT FROM db_service.kept_trigger k WHERE k.keeps = 'codes' AND NOT k.in_place) AS "is_kept!",
       -- The layout is to be such that the triggers are put on.
       EXISTS (SELECT FROM db_service.layout l WHERE l.table_name = 'embeddings' AND l.leaves > 1) AS "is_wanted!",
       ARRAY(SELECT x.relname::text FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
             WHERE i.indrelid = 'db_service.embedding_codes'::pg_catalog.regclass AND i.indisvalid AND NOT i.indisprimary)
           AS "indexes!: Vec<String>",
       EXISTS (SELECT FROM db_service.embedding_codes) AS "is_filled!",
       EXISTS (SELECT FROM pg_catalog.pg_am a WHERE a.amname = 'vchordrq') AS "has_vchord!",
       -- No more than it takes to know that a fold is due.
       (SELECT pg_catalog.count(*) FROM (SELECT FROM db_service.fresh_codes LIMIT $1::bigint + 1) f) AS "fresh!",
       (SELECT GREATEST(pg_catalog.sum(GREATEST(l.reltuples, 0)), 0)::bigint
        FROM pg_catalog.pg_partition_tree(pg_catalog.to_regclass('public.embeddings')) t JOIN pg_catalog.pg_class l ON l.oid = t.relid
        WHERE t.isleaf) AS "estimated_rows!",
       pg_catalog.pg_has_role(d.relowner, 'USAGE') AS "is_owner!",
       d.relowner::pg_catalog.regrole::text AS "owner!",
       ARRAY(SELECT e.role FROM readers e WHERE e.relid = pg_catalog.to_regclass('public.embeddings') AND NOT EXISTS (
                 SELECT FROM readers k WHERE k.relid = d.oid AND k.role = e.role) ORDER BY 1) AS "to_grant!: Vec<String>",
       ARRAY(SELECT k.role FROM readers k WHERE k.relid = d.oid AND NOT EXISTS (
                 SELECT FROM readers e WHERE e.relid = pg_catalog.to_regclass('public.embeddings') AND e.role = k.role)
             ORDER BY 1) AS "to_revoke!: Vec<String>"
FROM db_service.codes c
JOIN pg_catalog.pg_class d ON d.oid = 'db_service.embedding_codes'::pg_catalog.regclass
WHERE pg_catalog.to_regclass('public.embeddings') IS NOT NULL
