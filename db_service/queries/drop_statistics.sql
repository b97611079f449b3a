WITH old AS (
    SELECT s.id, s.inserted_at FROM public.rag_performance_stats s
    WHERE s.inserted_at < LEAST(
          LEAST(pg_catalog.now(), (SELECT max(n.inserted_at) FROM public.rag_performance_stats n)) - $1::interval,
          -- Weeks go as a whole.
          (SELECT min(pg_catalog.to_date(pg_catalog.substring(n.nspname, 'leaf_week_(.*)'), 'YYYYMMDD')::timestamp AT TIME ZONE 'UTC')
           FROM pg_catalog.pg_inherits i
           JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
           JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname ~ '^leaf_week_[0-9]{8}$'
           WHERE i.inhparent = pg_catalog.to_regclass('public.rag_performance_stats')))
    ORDER BY s.inserted_at LIMIT $2)
DELETE FROM public.rag_performance_stats s USING old o WHERE s.id = o.id AND s.inserted_at = o.inserted_at
