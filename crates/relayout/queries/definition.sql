-- A table's logical definition as one document: what must be the same after its storage has changed. NULL if there is no such table.
SELECT pg_catalog.jsonb_build_object(
    'owner', pg_catalog.pg_get_userbyid(c.relowner),
    'comment', pg_catalog.obj_description(c.oid, 'pg_class'),
    'kind', c.relkind,
    'persistence', c.relpersistence,
    'row_security', c.relrowsecurity OR c.relforcerowsecurity,
    'has_rules', EXISTS (SELECT 1 FROM pg_catalog.pg_rewrite r WHERE r.ev_class = c.oid),
    'options', COALESCE(pg_catalog.to_jsonb(c.reloptions), '[]'),
    'replica_identity', c.relreplident,
    'inherits', EXISTS (SELECT 1 FROM pg_catalog.pg_inherits i
                        WHERE i.inhrelid = c.oid OR (i.inhparent = c.oid AND c.relkind <> 'p')),
    'extended_statistics', EXISTS (SELECT 1 FROM pg_catalog.pg_statistic_ext s WHERE s.stxrelid = c.oid),
    'columns', (
        SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
            'name', a.attname,
            'type', pg_catalog.format_type(a.atttypid, a.atttypmod),
            'not_null', a.attnotnull,
            'default', pg_catalog.pg_get_expr(d.adbin, d.adrelid),
            'generated', a.attgenerated <> '',
            'identity', a.attidentity <> '',
            'statistics', NULLIF(a.attstattarget, -1),
            -- Vectors of up to 4 KB go into the leaf's own pages: reading them from TOAST takes five times as long.
            'inline', EXISTS (SELECT 1 FROM pg_catalog.pg_depend e
                              JOIN pg_catalog.pg_extension x ON x.oid = e.refobjid AND x.extname = 'vector'
                              JOIN pg_catalog.pg_type t ON t.oid = e.objid AND t.typname = 'vector'
                              WHERE e.classid = 'pg_catalog.pg_type'::pg_catalog.regclass
                                AND e.objid = a.atttypid AND e.deptype = 'e')
                      AND a.atttypmod BETWEEN 1 AND 1000,
            'sequence', (SELECT pg_catalog.format('%I.%I', n.nspname, s.relname)
                         FROM pg_catalog.pg_depend o
                         JOIN pg_catalog.pg_class s ON s.oid = o.objid AND s.relkind = 'S'
                         JOIN pg_catalog.pg_namespace n ON n.oid = s.relnamespace
                         WHERE o.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND o.deptype = 'a'
                           AND o.refobjid = c.oid AND o.refobjsubid = a.attnum
                         LIMIT 1)) ORDER BY a.attnum)
        FROM pg_catalog.pg_attribute a
        LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
    -- NOT NULL is a property of the column here, also where the server has a constraint for it.
    'constraints', COALESCE((
        SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
            'name', k.conname,
            'kind', k.contype,
            'definition', pg_catalog.pg_get_constraintdef(k.oid),
            'columns', (SELECT pg_catalog.jsonb_agg(a.attname ORDER BY u.position)
                        FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY u (number, position)
                        JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.number),
            'validated', k.convalidated) ORDER BY k.conname)
        FROM pg_catalog.pg_constraint k
        WHERE k.conrelid = c.oid AND k.contype NOT IN ('n', 't')), '[]'),
    'referenced_by', COALESCE((
        SELECT pg_catalog.jsonb_agg(pg_catalog.format('%s of %s', k.conname, k.conrelid::pg_catalog.regclass) ORDER BY k.oid)
        FROM pg_catalog.pg_constraint k WHERE k.confrelid = c.oid AND k.conparentid = 0), '[]'),
    'indexes', COALESCE((
        SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
            'name', x.relname,
            'unique', i.indisunique,
            'columns', (SELECT pg_catalog.jsonb_agg(a.attname ORDER BY a.attnum)
                        FROM pg_catalog.pg_attribute a
                        WHERE a.attrelid = c.oid AND a.attnum = ANY (i.indkey[0:i.indnkeyatts - 1])),
            'constraint', EXISTS (SELECT 1 FROM pg_catalog.pg_constraint k
                                  WHERE k.conindid = i.indexrelid AND k.conrelid = c.oid),
            'valid', i.indisvalid,
            'method', m.amname,
            'comment', pg_catalog.obj_description(x.oid, 'pg_class'),
            'definition', pg_catalog.substr(pg_catalog.pg_get_indexdef(x.oid),
                                            pg_catalog.strpos(pg_catalog.pg_get_indexdef(x.oid), ' USING ') + 1))
            ORDER BY x.relname)
        FROM pg_catalog.pg_index i
        JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
        JOIN pg_catalog.pg_am m ON m.oid = x.relam
        WHERE i.indrelid = c.oid), '[]'),
    'triggers', COALESCE((
        SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
            'name', t.tgname,
            'definition', pg_catalog.pg_get_triggerdef(t.oid),
            'enabled', t.tgenabled,
            'transition_tables', t.tgoldtable IS NOT NULL OR t.tgnewtable IS NOT NULL) ORDER BY t.tgname)
        FROM pg_catalog.pg_trigger t
        WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgname NOT LIKE 'singularity\_relayout\_%'), '[]'),
    'grants', COALESCE((
        SELECT pg_catalog.jsonb_agg(g.document ORDER BY g.document)
        FROM (SELECT pg_catalog.jsonb_build_object(
                  'grantee', NULLIF(e.grantee, 0)::pg_catalog.regrole::text,
                  'privilege', e.privilege_type, 'grantable', e.is_grantable, 'column', p.attname) AS document
              FROM (SELECT NULL::name AS attname, c.relacl AS acl
                    UNION ALL
                    SELECT a.attname, a.attacl FROM pg_catalog.pg_attribute a
                    WHERE a.attrelid = c.oid AND a.attacl IS NOT NULL AND NOT a.attisdropped) p,
                   LATERAL pg_catalog.aclexplode(p.acl) e) g), '[]'),
    'publications', COALESCE((
        SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
            'name', u.pubname, 'filtered', r.prqual IS NOT NULL OR r.prattrs IS NOT NULL) ORDER BY u.pubname)
        FROM pg_catalog.pg_publication_rel r
        JOIN pg_catalog.pg_publication u ON u.oid = r.prpubid
        WHERE r.prrelid = c.oid), '[]')
) AS "definition!: Json<Definition>"
FROM pg_catalog.pg_class c
WHERE c.oid = pg_catalog.to_regclass($1)
