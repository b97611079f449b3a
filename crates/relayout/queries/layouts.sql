-- Desired and actual leaves of the tables that are laid out, and the job on its way from one to the other. Without a `path_key`, a
-- table is laid out by the week: `weeks.sql` tells the rest.
-- `actual` has a level for the leaves and below each of them one for its parts by path.
SELECT l.table_name, l.partition_key, l.path_key, l.leaves AS desired_leaves,
       (SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
            'modulus', d.modulus, 'remainder', d.remainder, 'paths', d.paths))
        FROM db_service.layout_leaf d WHERE d.table_name = l.table_name) AS "desired: Json<Vec<Leaf>>",
       (SELECT CASE k.partstrat WHEN 'h' THEN 'HASH ' WHEN 'l' THEN 'LIST ' ELSE 'RANGE ' END || COALESCE((
            SELECT pg_catalog.string_agg(a.attname, ', ' ORDER BY u.position)
            FROM pg_catalog.unnest(k.partattrs::smallint[]) WITH ORDINALITY u (number, position)
            JOIN pg_catalog.pg_attribute a ON a.attrelid = k.partrelid AND a.attnum = u.number), 'an expression')
        FROM pg_catalog.pg_partitioned_table k WHERE k.partrelid = r.oid) AS partitioned_by,
       (SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
            'schema', n.nspname, 'name', c.relname,
            'modulus', pg_catalog.substring(pg_catalog.pg_get_expr(c.relpartbound, c.oid), 'modulus (\d+)')::integer,
            'remainder', pg_catalog.substring(pg_catalog.pg_get_expr(c.relpartbound, c.oid), 'remainder (\d+)')::integer,
            'detach_pending', i.inhdetachpending,
            'partitioned_by', (SELECT CASE k.partstrat WHEN 'h' THEN 'HASH ' WHEN 'l' THEN 'LIST ' ELSE 'RANGE ' END || COALESCE((
            SELECT pg_catalog.string_agg(a.attname, ', ' ORDER BY u.position)
            FROM pg_catalog.unnest(k.partattrs::smallint[]) WITH ORDINALITY u (number, position)
            JOIN pg_catalog.pg_attribute a ON a.attrelid = k.partrelid AND a.attnum = u.number), 'an expression')
        FROM pg_catalog.pg_partitioned_table k WHERE k.partrelid = c.oid),
            'parts', CASE WHEN c.relkind = 'p' THEN (
                SELECT pg_catalog.count(*) FROM pg_catalog.pg_inherits s
                JOIN pg_catalog.pg_class p ON p.oid = s.inhrelid AND p.relname = c.relname
                JOIN pg_catalog.pg_namespace m ON m.oid = p.relnamespace
                     AND m.nspname = n.nspname || '_' || pg_catalog.substring(pg_catalog.pg_get_expr(p.relpartbound, p.oid), 'remainder (\d+)')
                WHERE s.inhparent = c.oid AND NOT s.inhdetachpending) END))
        FROM pg_catalog.pg_inherits i
        JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE i.inhparent = r.oid) AS "actual: Json<Vec<Found>>",
       (SELECT j.phase FROM db_service.relayout_job j
        WHERE j.table_name = l.table_name AND j.phase NOT IN ('cleaned', 'abandoned')) AS phase
FROM db_service.layout l
LEFT JOIN pg_catalog.pg_class r ON r.oid = pg_catalog.to_regclass(pg_catalog.format('public.%I', l.table_name))
WHERE l.table_name = $1 OR $1 IS NULL
ORDER BY l.table_name
