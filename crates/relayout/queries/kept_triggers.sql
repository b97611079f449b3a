-- Triggers that are declared for each table that is laid out, and those of their kind that it has, with all that is below it.
SELECT l.table_name,
       c.relkind = 'p' AS "is_in_leaves!",
       l.leaves > 1 AS "is_to_be_in_leaves!",
       pg_catalog.quote_ident(CURRENT_USER) AS "role!",
       -- Whose rights the role lacks.
       CASE WHEN NOT pg_catalog.pg_has_role(c.relowner, 'USAGE') THEN c.relowner::pg_catalog.regrole::text
            WHEN NOT pg_catalog.pg_has_role(d.relowner, 'USAGE') THEN d.relowner::pg_catalog.regrole::text END AS lacks,
       COALESCE((
           SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
               'name', k.name, 'event', k.event, 'function', k.function,
               'keeps', k.keeps, 'begun_by', k.begun_by, 'in_place', k.in_place) ORDER BY k.name)
           FROM db_service.kept_trigger k WHERE k.table_name = l.table_name), '[]') AS "declared!: Json<Vec<Declared>>",
       (
           SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
               'relation', pg_catalog.format('%I.%I', n.nspname, m.relname),
               'triggers', COALESCE((
                   SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
                       'name', t.tgname,
                       -- Those with other shapes have no event.
                       'event', CASE WHEN t.tgqual IS NULL AND t.tgnargs = 0 AND t.tgattr = ''::pg_catalog.int2vector THEN
                           CASE t.tgtype WHEN 4 THEN 'INSERT' WHEN 8 THEN 'DELETE' WHEN 16 THEN 'UPDATE'
                                         WHEN 32 THEN 'TRUNCATE' ELSE '' END ELSE '' END,
                       'function', (SELECT pg_catalog.format('%I.%I()', s.nspname, p.proname)
                                    FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace s ON s.oid = p.pronamespace
                                    WHERE p.oid = t.tgfoid),
                       'old', t.tgoldtable, 'new', t.tgnewtable, 'enabled', t.tgenabled))
                   FROM pg_catalog.pg_trigger t
                   WHERE t.tgrelid = m.oid AND t.tgname LIKE 'singularity\_kept\_%'), '[]')) ORDER BY r.level, n.nspname)
           FROM (SELECT c.oid AS relid, 0 AS level
                 UNION ALL SELECT e.relid, e.level FROM pg_catalog.pg_partition_tree(c.oid) e WHERE e.level > 0) r
           JOIN pg_catalog.pg_class m ON m.oid = r.relid
           JOIN pg_catalog.pg_namespace n ON n.oid = m.relnamespace) AS "found!: Json<Vec<Found>>"
FROM db_service.layout l
JOIN pg_catalog.pg_class c ON c.oid = pg_catalog.to_regclass(pg_catalog.format('public.%I', l.table_name))
JOIN pg_catalog.pg_class d ON d.oid = 'db_service.kept_trigger'::pg_catalog.regclass
ORDER BY l.table_name
