-- From when on rows of `rag_performance_stats` are kept, by the newest there is: where a clock has jumped ahead, nothing goes for that
-- alone. Of those that are older, weeks go as a whole, with their leaves; and rows, where they are older than all weeks.
SELECT kept.since::text AS weeks, LEAST(kept.since, (
           SELECT min(pg_catalog.to_date(pg_catalog.substring(n.nspname, 'leaf_week_(.*)'), 'YYYYMMDD')::timestamp AT TIME ZONE 'UTC')
           FROM pg_catalog.pg_inherits i
           JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
           JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname ~ '^leaf_week_[0-9]{8}$'
           WHERE i.inhparent = pg_catalog.to_regclass('public.rag_performance_stats')))::text AS rows
FROM (SELECT LEAST(pg_catalog.now(), (SELECT max(s.inserted_at) FROM public.rag_performance_stats s)) - $1::interval AS since) kept
