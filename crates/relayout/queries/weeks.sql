-- How a table is stored that is laid out by the weeks of a column, and the job on its way to another layout. Nobody has to have
-- declared it, and the table need not be there. The week that is now counts from the first Monday of 1970 on.
SELECT (SELECT CASE k.partstrat WHEN 'h' THEN 'HASH ' WHEN 'l' THEN 'LIST ' ELSE 'RANGE ' END || COALESCE((
            SELECT pg_catalog.string_agg(a.attname, ', ' ORDER BY u.position)
            FROM pg_catalog.unnest(k.partattrs::smallint[]) WITH ORDINALITY u (number, position)
            JOIN pg_catalog.pg_attribute a ON a.attrelid = k.partrelid AND a.attnum = u.number), 'an expression')
        FROM pg_catalog.pg_partitioned_table k WHERE k.partrelid = r.oid) AS partitioned_by,
       (SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
            'schema', n.nspname, 'name', c.relname, 'detach_pending', i.inhdetachpending,
            'partitioned_by', CASE WHEN c.relkind <> 'r' THEN 'something' END,
            'is_default', COALESCE(bound.text = 'DEFAULT', false),
            'between', CASE WHEN r.is_time THEN (
                SELECT pg_catalog.jsonb_build_array(EXTRACT(epoch FROM b.moments[1])::bigint, EXTRACT(epoch FROM b.moments[2])::bigint)
                FROM (SELECT CASE r.key_type WHEN 'timestamp with time zone'::pg_catalog.regtype
                          THEN ARRAY[t.bounds[1]::timestamptz, t.bounds[2]::timestamptz]
                          ELSE ARRAY[t.bounds[1]::timestamp AT TIME ZONE 'UTC', t.bounds[2]::timestamp AT TIME ZONE 'UTC'] END AS moments
                      FROM (SELECT pg_catalog.regexp_match(
                                bound.text, '^FOR VALUES FROM \(''(.+)''\) TO \(''(.+)''\)$') AS bounds) t) b
                WHERE pg_catalog.isfinite(b.moments[1]) AND pg_catalog.isfinite(b.moments[2])) END))
        FROM pg_catalog.pg_inherits i
        JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        CROSS JOIN LATERAL (SELECT pg_catalog.pg_get_expr(c.relpartbound, c.oid) AS text OFFSET 0) bound
        WHERE i.inhparent = r.oid) AS "actual: Json<Vec<Found>>",
       (SELECT j.phase FROM db_service.relayout_job j
        WHERE j.table_name = r.name AND j.phase NOT IN ('cleaned', 'abandoned')) AS phase,
       (SELECT j.target FROM db_service.relayout_job j
        WHERE j.table_name = r.name AND j.phase NOT IN ('cleaned', 'abandoned')) AS "target: Json<Shape>",
       pg_catalog.floor((EXTRACT(epoch FROM pg_catalog.now()) / 86400 - 4) / 7)::integer AS "week!",
       COALESCE(r.is_time AND pg_catalog.has_column_privilege(r.oid, r.number, 'SELECT'), false) AS "can_tell_times!"
FROM (SELECT t.name, c.oid, key.attnum AS number, key.atttypid AS key_type,
             key.atttypid IN ('timestamp with time zone'::pg_catalog.regtype, 'timestamp'::pg_catalog.regtype, 'date'::pg_catalog.regtype) AS is_time
      FROM (SELECT $1::text AS name) t
      LEFT JOIN pg_catalog.pg_class c ON c.oid = pg_catalog.to_regclass(pg_catalog.format('public.%I', t.name))
      LEFT JOIN pg_catalog.pg_attribute key ON key.attrelid = c.oid AND key.attname = $2 AND NOT key.attisdropped) r
