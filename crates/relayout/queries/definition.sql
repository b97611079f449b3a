-- A table's logical definition as one document: what must be the same after its storage has changed. NULL if there is no such table.
-- Names in it are written as `search_path` asks, so two are compared as workers read them, which have the same one always.
SELECT pg_catalog.jsonb_build_object(
    'owner', pg_catalog.pg_get_userbyid(c.relowner),
    'comment', pg_catalog.obj_description(c.oid, 'pg_class'),
    'kind', c.relkind,
    'persistence', c.relpersistence,
    'access_method', (SELECT m.amname FROM pg_catalog.pg_am m WHERE m.oid = c.relam AND m.amname <> 'heap'),
    'tablespace', (SELECT s.spcname FROM pg_catalog.pg_tablespace s WHERE s.oid = c.reltablespace),
    'of_type', NULLIF(c.reloftype, 0)::pg_catalog.regtype::text,
    'row_security', c.relrowsecurity,
    'forces_row_security', c.relforcerowsecurity,
    'has_rules', EXISTS (SELECT 1 FROM pg_catalog.pg_rewrite r WHERE r.ev_class = c.oid),
    'options', COALESCE(pg_catalog.to_jsonb(c.reloptions), '[]')
               || COALESCE((SELECT pg_catalog.jsonb_agg('toast.' || o)
                            FROM pg_catalog.pg_class t, pg_catalog.unnest(t.reloptions) o
                            WHERE t.oid = c.reltoastrelid), '[]'),
    'replica_identity', c.relreplident,
    'inherits', EXISTS (SELECT 1 FROM pg_catalog.pg_inherits i
                        WHERE i.inhrelid = c.oid OR (i.inhparent = c.oid AND c.relkind <> 'p')),
    'is_subscribed', EXISTS (SELECT 1 FROM pg_catalog.pg_subscription_rel s WHERE s.srrelid = c.oid),
    'security_labels', (SELECT pg_catalog.count(*) FROM pg_catalog.pg_seclabel l
                        WHERE l.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass AND l.objoid = c.oid),
    'extension', (SELECT x.extname FROM pg_catalog.pg_depend e JOIN pg_catalog.pg_extension x ON x.oid = e.refobjid
                  WHERE e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND e.objid = c.oid AND e.deptype = 'e'
                    AND e.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass LIMIT 1),
    'columns', (
        SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
            'name', a.attname,
            'type', pg_catalog.format_type(a.atttypid, a.atttypmod),
            'collation', (SELECT pg_catalog.format('%I.%I', n.nspname, l.collname)
                          FROM pg_catalog.pg_collation l JOIN pg_catalog.pg_namespace n ON n.oid = l.collnamespace
                          JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
                          WHERE l.oid = a.attcollation AND a.attcollation <> t.typcollation),
            'comment', pg_catalog.col_description(c.oid, a.attnum),
            'not_null', a.attnotnull,
            'default', pg_catalog.pg_get_expr(d.adbin, d.adrelid),
            'generated', a.attgenerated <> '',
            'identity_sequence', (
                SELECT pg_catalog.jsonb_build_object(
                    'name', pg_catalog.format('%I.%I', n.nspname, s.relname),
                    'generated', CASE a.attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END,
                    'options', pg_catalog.format('AS %s INCREMENT %s MINVALUE %s MAXVALUE %s START %s CACHE %s %s',
                        pg_catalog.format_type(q.seqtypid, NULL), q.seqincrement, q.seqmin, q.seqmax, q.seqstart, q.seqcache,
                        CASE WHEN q.seqcycle THEN 'CYCLE' ELSE 'NO CYCLE' END),
                    'start', q.seqstart,
                    'unlogged', s.relpersistence = 'u',
                    'comment', pg_catalog.obj_description(s.oid, 'pg_class'),
                    'is_private', s.relacl IS NULL
                                  OR ARRAY(SELECT e::text FROM pg_catalog.unnest(s.relacl) e ORDER BY 1)
                                     = ARRAY(SELECT e::text FROM pg_catalog.unnest(pg_catalog.acldefault('s', s.relowner)) e ORDER BY 1),
                    'grants', COALESCE((
                        SELECT pg_catalog.jsonb_agg(g.document ORDER BY g.document)
                        FROM (SELECT pg_catalog.jsonb_build_object(
                                  'grantee', NULLIF(e.grantee, 0)::pg_catalog.regrole::text,
                                  'grantor', e.grantor::pg_catalog.regrole::text,
                                  'privilege', e.privilege_type, 'grantable', e.is_grantable) AS document
                              FROM pg_catalog.aclexplode(COALESCE(s.relacl, pg_catalog.acldefault('s', s.relowner))) e) g), '[]'))
                FROM pg_catalog.pg_depend o
                JOIN pg_catalog.pg_class s ON s.oid = o.objid AND s.relkind = 'S'
                JOIN pg_catalog.pg_sequence q ON q.seqrelid = s.oid
                JOIN pg_catalog.pg_namespace n ON n.oid = s.relnamespace
                WHERE o.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND o.deptype = 'i'
                  AND o.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
                  AND o.refobjid = c.oid AND o.refobjsubid = a.attnum),
            'statistics', NULLIF(a.attstattarget, -1),
            -- Newest minors keep a stamp of their own among these.
            'options', COALESCE((SELECT pg_catalog.jsonb_agg(o ORDER BY o) FROM pg_catalog.unnest(a.attoptions) o
                                 WHERE o NOT LIKE 'pg\_attver=%'), '[]'),
            'storage', a.attstorage,
            'compression', NULLIF(a.attcompression, ''),
            -- Of a vector, the bytes of a value.
            'vector_bytes', CASE WHEN a.atttypmod > 0 AND EXISTS (
                SELECT 1 FROM pg_catalog.pg_depend e
                JOIN pg_catalog.pg_extension x ON x.oid = e.refobjid AND x.extname = 'vector'
                JOIN pg_catalog.pg_type t ON t.oid = e.objid AND t.typname = 'vector'
                WHERE e.classid = 'pg_catalog.pg_type'::pg_catalog.regclass
                  AND e.objid = a.atttypid AND e.deptype = 'e') THEN 4 * a.atttypmod + 8 END,
            'sequences', COALESCE((
                SELECT pg_catalog.jsonb_agg(pg_catalog.format('%I.%I', n.nspname, s.relname) ORDER BY n.nspname, s.relname)
                FROM pg_catalog.pg_depend o
                JOIN pg_catalog.pg_class s ON s.oid = o.objid AND s.relkind = 'S'
                JOIN pg_catalog.pg_namespace n ON n.oid = s.relnamespace
                WHERE o.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND o.deptype = 'a'
                  AND o.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
                  AND o.refobjid = c.oid AND o.refobjsubid = a.attnum), '[]')) ORDER BY a.attnum)
        FROM pg_catalog.pg_attribute a
        LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
    -- NOT NULL is a property of the column, and since PostgreSQL 18 a constraint as well.
    'constraints', COALESCE((
        SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
            'name', k.conname,
            'kind', k.contype,
            'definition', pg_catalog.pg_get_constraintdef(k.oid),
            'columns', (SELECT pg_catalog.jsonb_agg(a.attname ORDER BY u.position)
                        FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY u (number, position)
                        JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.number),
            'validated', k.convalidated,
            'inherited', NOT k.connoinherit OR k.contype IN ('p', 'u', 'x', 'f'),
            'references', CASE WHEN k.contype = 'f' THEN (
                SELECT pg_catalog.format('%I.%I', n.nspname, f.relname)
                FROM pg_catalog.pg_class f JOIN pg_catalog.pg_namespace n ON n.oid = f.relnamespace WHERE f.oid = k.confrelid) END,
            'comment', pg_catalog.obj_description(k.oid, 'pg_constraint')) ORDER BY k.conname)
        FROM pg_catalog.pg_constraint k
        WHERE k.conrelid = c.oid AND k.contype <> 't'), '[]'),
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
            'clustered', i.indisclustered,
            'method', m.amname,
            'comment', pg_catalog.obj_description(x.oid, 'pg_class'),
            'options', COALESCE(pg_catalog.to_jsonb(x.reloptions), '[]'),
            'tablespace', (SELECT s.spcname FROM pg_catalog.pg_tablespace s WHERE s.oid = x.reltablespace),
            -- Of expressions, by their position.
            'statistics', COALESCE((
                SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(a.attnum, a.attstattarget) ORDER BY a.attnum)
                FROM pg_catalog.pg_attribute a
                WHERE a.attrelid = x.oid AND NULLIF(a.attstattarget, -1) IS NOT NULL), '[]'),
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
            'for_each_row', t.tgtype & 1 <> 0,
            -- BEFORE INSERT OR UPDATE
            'may_change_row', t.tgtype & 3 = 3 AND t.tgtype & 20 <> 0,
            'transition_tables', t.tgoldtable IS NOT NULL OR t.tgnewtable IS NOT NULL,
            'constraint', t.tgconstraint <> 0,
            'language', l.lanname,
            'source', CASE WHEN t.tgtype & 3 = 3 AND t.tgtype & 20 <> 0 THEN p.prosrc END,
            'comment', pg_catalog.obj_description(t.oid, 'pg_trigger')) ORDER BY t.tgname)
        FROM pg_catalog.pg_trigger t
        JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
        JOIN pg_catalog.pg_language l ON l.oid = p.prolang
        WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgname NOT LIKE 'singularity\_relayout\_%'
          AND t.tgname NOT LIKE 'singularity\_kept\_%'), '[]'),
    -- Those that `migrations` puts on it while it is in leaves.
    'kept_triggers', COALESCE((
        SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
            'name', t.tgname,
            'event', CASE t.tgtype WHEN 4 THEN 'INSERT' WHEN 8 THEN 'DELETE' WHEN 16 THEN 'UPDATE' ELSE 'TRUNCATE' END,
            'function', pg_catalog.format('%I.%I()', n.nspname, p.proname)) ORDER BY t.tgname)
        FROM pg_catalog.pg_trigger t
        JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
        JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
        WHERE t.tgrelid = c.oid AND t.tgname LIKE 'singularity\_kept\_%' AND t.tgtype IN (4, 8, 16, 32)), '[]'),
    'policies', COALESCE((
        SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
            'name', p.polname,
            'definition', pg_catalog.format('AS %s FOR %s TO %s',
                CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
                CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
                (SELECT pg_catalog.string_agg(CASE r WHEN 0 THEN 'PUBLIC' ELSE r::pg_catalog.regrole::text END, ', ' ORDER BY r)
                 FROM pg_catalog.unnest(p.polroles) r))
                || COALESCE(' USING (' || pg_catalog.pg_get_expr(p.polqual, c.oid) || ')', '')
                || COALESCE(' WITH CHECK (' || pg_catalog.pg_get_expr(p.polwithcheck, c.oid) || ')', ''),
            'comment', pg_catalog.obj_description(p.oid, 'pg_policy')) ORDER BY p.polname)
        FROM pg_catalog.pg_policy p WHERE p.polrelid = c.oid), '[]'),
    'extended_statistics', COALESCE((
        SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
            'name', pg_catalog.format('%I.%I', n.nspname, s.stxname),
            'owner', pg_catalog.pg_get_userbyid(s.stxowner),
            -- What stands between its name and the table's.
            'definition', pg_catalog.left(pg_catalog.substr(
                pg_catalog.pg_get_statisticsobjdef(s.oid),
                pg_catalog.length(pg_catalog.format('CREATE STATISTICS %I.%I ', n.nspname, s.stxname)) + 1),
                -pg_catalog.length(pg_catalog.format(' FROM %s', c.oid::pg_catalog.regclass))),
            'target', NULLIF(s.stxstattarget, -1),
            'comment', pg_catalog.obj_description(s.oid, 'pg_statistic_ext')) ORDER BY n.nspname, s.stxname)
        FROM pg_catalog.pg_statistic_ext s
        JOIN pg_catalog.pg_namespace n ON n.oid = s.stxnamespace
        WHERE s.stxrelid = c.oid), '[]'),
    -- The owner has all rights and nobody else has any.
    'is_private', c.relacl IS NULL
                  OR ARRAY(SELECT a::text FROM pg_catalog.unnest(c.relacl) a ORDER BY 1)
                     = ARRAY(SELECT a::text FROM pg_catalog.unnest(pg_catalog.acldefault('r', c.relowner)) a ORDER BY 1),
    'grants', COALESCE((
        SELECT pg_catalog.jsonb_agg(g.document ORDER BY g.document)
        FROM (SELECT pg_catalog.jsonb_build_object(
                  'grantee', NULLIF(e.grantee, 0)::pg_catalog.regrole::text,
                  'grantor', e.grantor::pg_catalog.regrole::text,
                  'privilege', e.privilege_type, 'grantable', e.is_grantable, 'column', p.attname) AS document
              FROM (SELECT NULL::name AS attname, COALESCE(c.relacl, pg_catalog.acldefault('r', c.relowner)) AS acl
                    UNION ALL
                    SELECT a.attname, a.attacl FROM pg_catalog.pg_attribute a
                    WHERE a.attrelid = c.oid AND a.attacl IS NOT NULL AND NOT a.attisdropped) p,
                   LATERAL pg_catalog.aclexplode(p.acl) e) g), '[]'),
    'publications', COALESCE((
        SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
            'name', u.pubname, 'scope', f.scope, 'filtered', f.filtered, 'via_root', u.pubviaroot)
            ORDER BY u.pubname, f.scope)
        FROM (SELECT r.prpubid AS id, 'table' AS scope, r.prqual IS NOT NULL OR r.prattrs IS NOT NULL AS filtered
              FROM pg_catalog.pg_publication_rel r WHERE r.prrelid = c.oid
              UNION ALL
              SELECT s.pnpubid, 'schema', false FROM pg_catalog.pg_publication_namespace s WHERE s.pnnspid = c.relnamespace
              UNION ALL
              SELECT a.oid, 'all', false FROM pg_catalog.pg_publication a WHERE a.puballtables) f
        JOIN pg_catalog.pg_publication u ON u.oid = f.id), '[]')
) AS "definition!: Json<Definition>"
FROM pg_catalog.pg_class c
WHERE c.oid = pg_catalog.to_regclass($1)
