-- What was made from a table by others and follows its OID rather than its name: it has to be made anew when another table
-- takes the name. `statement` is NULL for what cannot be. Whatever kind of object it is, it is found: what the engine does
-- not know how to make anew is refused by name.
WITH relation AS (
    -- `to_regclass` would ask for a right on the schema, which who only looks may not have.
    SELECT c.oid, c.reltype FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = $1::text AND c.relname = $2::text
),
part AS (
    -- The table, and what is a part of it.
    SELECT 'pg_catalog.pg_class'::pg_catalog.regclass AS class, c.oid, false AS is_row_type, false AS is_sequence FROM relation c
    UNION ALL
    SELECT 'pg_catalog.pg_type'::pg_catalog.regclass, pg_catalog.unnest(ARRAY[t.oid, t.typarray]), true, false
    FROM relation c JOIN pg_catalog.pg_type t ON t.oid = c.reltype
    UNION ALL
    SELECT 'pg_catalog.pg_class'::pg_catalog.regclass, i.indexrelid, false, false
    FROM pg_catalog.pg_index i WHERE i.indrelid = (SELECT oid FROM relation)
    UNION ALL
    SELECT 'pg_catalog.pg_constraint'::pg_catalog.regclass, k.oid, false, false
    FROM pg_catalog.pg_constraint k WHERE k.conrelid = (SELECT oid FROM relation)
    UNION ALL
    -- Of identity columns: these follow the old form, and others take their place. Sequences of other columns stay.
    SELECT d.classid, d.objid, false, true
    FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_sequence q ON q.seqrelid = d.objid
    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.deptype = 'i'
      AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = (SELECT oid FROM relation)
),
dependent AS (
    SELECT CASE WHEN r.oid IS NULL THEN d.classid ELSE 'pg_catalog.pg_class'::pg_catalog.regclass END AS class,
           COALESCE(r.ev_class, d.objid) AS oid, pg_catalog.bool_or(p.is_row_type) AS by_row_type,
           pg_catalog.bool_or(p.is_sequence) AS by_sequence
    FROM part p
    JOIN pg_catalog.pg_depend d ON d.refclassid = p.class AND d.refobjid = p.oid
    LEFT JOIN pg_catalog.pg_rewrite r
           ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND r.oid = d.objid
    -- P and S: parts of leaves.
    WHERE d.deptype NOT IN ('i', 'P', 'S')
    GROUP BY 1, 2
)
SELECT pg_catalog.pg_describe_object(d.class, d.oid, 0)
           || CASE WHEN d.by_row_type THEN ', which uses its row type,' ELSE '' END AS "object!",
       CASE WHEN v.relkind = 'v' THEN pg_catalog.format('%I.%I', vn.nspname, v.relname) END AS view,
       CASE
           WHEN d.by_row_type THEN NULL
           WHEN v.relkind = 'v' THEN
               pg_catalog.format('CREATE OR REPLACE VIEW %I.%I %s AS %s', vn.nspname, v.relname,
                                 'WITH (' || pg_catalog.array_to_string(v.reloptions, ', ') || ')',
                                 pg_catalog.pg_get_viewdef(v.oid))
           WHEN p.prosqlbody IS NOT NULL THEN pg_catalog.pg_get_functiondef(p.oid)
       END AS statement,
       -- Who replaces it has to own it, and to be allowed to create in its schema.
       CASE WHEN NOT pg_catalog.pg_has_role(COALESCE(v.relowner, p.proowner), 'USAGE')
            THEN COALESCE(v.relowner, p.proowner)::pg_catalog.regrole::text END AS foreign_owner,
       CASE WHEN NOT pg_catalog.has_schema_privilege(COALESCE(v.relnamespace, p.pronamespace), 'CREATE')
            THEN COALESCE(v.relnamespace, p.pronamespace)::pg_catalog.regnamespace::text END AS closed_schema
FROM dependent d
LEFT JOIN pg_catalog.pg_class v ON d.class = 'pg_catalog.pg_class'::pg_catalog.regclass AND v.oid = d.oid
LEFT JOIN pg_catalog.pg_namespace vn ON vn.oid = v.relnamespace
LEFT JOIN pg_catalog.pg_proc p ON d.class = 'pg_catalog.pg_proc'::pg_catalog.regclass AND p.oid = d.oid
WHERE NOT EXISTS (SELECT 1 FROM part p WHERE p.class = d.class AND p.oid = d.oid)
  -- These are read with the table's definition, and carried or refused as parts of it.
  AND NOT COALESCE(v.relkind = 'S' OR v.relispartition, false)
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_attrdef a
                  WHERE NOT d.by_sequence AND d.class = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND a.oid = d.oid AND a.adrelid = (SELECT oid FROM relation))
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_trigger t
                  WHERE d.class = 'pg_catalog.pg_trigger'::pg_catalog.regclass AND t.oid = d.oid AND t.tgrelid = (SELECT oid FROM relation))
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_policy y
                  WHERE d.class = 'pg_catalog.pg_policy'::pg_catalog.regclass AND y.oid = d.oid AND y.polrelid = (SELECT oid FROM relation))
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_statistic_ext s
                  WHERE d.class = 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass AND s.oid = d.oid AND s.stxrelid = (SELECT oid FROM relation))
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_constraint k
                  WHERE d.class = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND k.oid = d.oid
                    AND (SELECT oid FROM relation) IN (k.conrelid, k.confrelid))
  AND d.class <> 'pg_catalog.pg_publication_rel'::pg_catalog.regclass
ORDER BY d.class, d.oid
