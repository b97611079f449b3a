-- What was made from a table and follows its OID rather than its name: it has to be made anew when another table takes the
-- name. `statement` is NULL for what cannot be.
SELECT pg_catalog.pg_describe_object(d.classid, d.objid, 0) AS "object!",
       CASE WHEN v.relkind = 'v' THEN pg_catalog.format('%I.%I', vn.nspname, v.relname) END AS view,
       CASE
           WHEN v.relkind = 'v' THEN
               pg_catalog.format('CREATE OR REPLACE VIEW %I.%I %s AS %s', vn.nspname, v.relname,
                                 'WITH (' || pg_catalog.array_to_string(v.reloptions, ', ') || ')',
                                 pg_catalog.pg_get_viewdef(v.oid))
           WHEN p.prosqlbody IS NOT NULL THEN pg_catalog.pg_get_functiondef(p.oid)
       END AS statement
FROM (SELECT DISTINCT CASE WHEN r.oid IS NULL THEN d.classid ELSE 'pg_catalog.pg_class'::pg_catalog.regclass END AS classid,
                      COALESCE(r.ev_class, d.objid) AS objid
      FROM pg_catalog.pg_depend d
      LEFT JOIN pg_catalog.pg_rewrite r
             ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND r.oid = d.objid
      WHERE d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
        AND d.refobjid = pg_catalog.to_regclass($1)
        AND d.deptype = 'n'
        -- These are carried by the engine or refused by name before.
        AND d.classid NOT IN ('pg_catalog.pg_constraint'::pg_catalog.regclass, 'pg_catalog.pg_trigger'::pg_catalog.regclass,
                              'pg_catalog.pg_publication_rel'::pg_catalog.regclass)) d
LEFT JOIN pg_catalog.pg_class v
       ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND v.oid = d.objid
LEFT JOIN pg_catalog.pg_namespace vn ON vn.oid = v.relnamespace
LEFT JOIN pg_catalog.pg_proc p
       ON d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND p.oid = d.objid
WHERE v.relkind IS DISTINCT FROM 'S'
ORDER BY d.classid, d.objid
