-- Desired and actual leaves of the tables that are laid out, and the job on its way from one to the other.
-- `actual` has a level for the leaves and below each of them one for its parts by path. $2: the column by whose weeks the one
-- table is to be divided that is asked for, where it is not so declared.
SELECT l.table_name AS "table_name!", l.partition_key AS "partition_key!", l.path_key, l.leaves AS "desired_leaves!",
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
            'is_default', COALESCE(pg_catalog.pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT', false),
            'between', (
                SELECT pg_catalog.jsonb_build_array(EXTRACT(epoch FROM b.moments[1])::bigint, EXTRACT(epoch FROM b.moments[2])::bigint)
                FROM (SELECT CASE
                          WHEN t.key_type = 'timestamp with time zone'::pg_catalog.regtype THEN ARRAY[t.bounds[1]::timestamptz, t.bounds[2]::timestamptz]
                          WHEN t.key_type IN ('timestamp'::pg_catalog.regtype, 'date'::pg_catalog.regtype)
                          THEN ARRAY[t.bounds[1]::timestamp AT TIME ZONE 'UTC', t.bounds[2]::timestamp AT TIME ZONE 'UTC'] END AS moments
                      FROM (SELECT key.atttypid AS key_type, pg_catalog.regexp_match(
                                pg_catalog.pg_get_expr(c.relpartbound, c.oid), '^FOR VALUES FROM \(''(.+)''\) TO \(''(.+)''\)$') AS bounds) t
                     ) b
                WHERE pg_catalog.isfinite(b.moments[1]) AND pg_catalog.isfinite(b.moments[2])),
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
       j.phase AS "phase?", j.target AS "target?: Json<Shape>",
       -- The one that is now, from the first Monday of 1970 on.
       pg_catalog.floor((EXTRACT(epoch FROM pg_catalog.now()) / 86400 - 4) / 7)::integer AS "week!",
       COALESCE(key.atttypid IN ('timestamp with time zone'::pg_catalog.regtype, 'timestamp'::pg_catalog.regtype, 'date'::pg_catalog.regtype)
           AND pg_catalog.has_column_privilege(r.oid, key.attnum, 'SELECT'), false) AS "can_tell_times!"
FROM (SELECT d.table_name, d.partition_key, d.path_key,
             CASE WHEN d.path_key IS NULL AND $2::text IS NOT NULL THEN 2 ELSE d.leaves END AS leaves
      FROM db_service.layout d WHERE d.table_name = $1 OR $1 IS NULL
      UNION ALL
      SELECT $1, $2, NULL, 2
      WHERE $2::text IS NOT NULL AND NOT EXISTS (SELECT FROM db_service.layout d WHERE d.table_name = $1)) l
LEFT JOIN db_service.relayout_job j ON j.table_name = l.table_name AND j.phase NOT IN ('cleaned', 'abandoned')
LEFT JOIN pg_catalog.pg_class r ON r.oid = pg_catalog.to_regclass(pg_catalog.format('public.%I', l.table_name))
LEFT JOIN pg_catalog.pg_attribute key ON key.attrelid = r.oid AND key.attname = l.partition_key AND NOT key.attisdropped
ORDER BY l.table_name
