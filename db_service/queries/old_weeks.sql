-- Leaves of weeks that were over at a moment, the oldest first: their Mondays; and whether this role may drop them.
SELECT pg_catalog.substring(n.nspname, 'leaf_week_(.*)') AS "monday!", pg_catalog.pg_has_role(r.relowner, 'USAGE') AS "may_drop!"
FROM pg_catalog.pg_class r
JOIN pg_catalog.pg_inherits i ON i.inhparent = r.oid
JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid AND c.relname = r.relname
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname ~ '^leaf_week_[0-9]{8}$'
WHERE r.oid = pg_catalog.to_regclass('public.rag_performance_stats')
  AND (pg_catalog.to_date(pg_catalog.substring(n.nspname, 'leaf_week_(.*)'), 'YYYYMMDD') + 7)::timestamp AT TIME ZONE 'UTC'
      <= $1::text::timestamptz
ORDER BY 1
