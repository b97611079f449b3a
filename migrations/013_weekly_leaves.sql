-- Tables that grow with time may be laid out by the week: `migrations layout --table rag_performance_stats --by-week inserted_at`.
--
-- requires-ecto: 20251005
-- requires-table: public.rag_performance_stats
-- provides: db_service.week_leaves
--
-- Why: what is older than it is kept goes with its leaf, in a moment and without a trace; to delete ten million rows takes minutes,
-- and leaves a table that is as large as before. A summary of the last day reads one leaf or two.
-- This file only declares that it may be declared; nothing moves until somebody does.
-- Used by: `migrations layout`, `migrations maintain`, and `migrations`, which makes the leaves of the weeks to come.
-- Locks: ACCESS EXCLUSIVE on db_service.layout, for a moment. Undo: `migrations revert --table rag_performance_stats`, then
-- DELETE FROM db_service.layout WHERE path_key IS NULL, drop the view, and set the column NOT NULL again.

-- squawk-ignore ban-drop-not-null
ALTER TABLE db_service.layout ALTER COLUMN path_key DROP NOT NULL;

COMMENT ON COLUMN db_service.layout.partition_key IS 'The column that chooses the leaf: by its hash, or by its week where there is no path_key.';
COMMENT ON COLUMN db_service.layout.path_key IS 'The column by which a leaf is split that a single partition key fills; null: leaves are weeks of the partition key.';
COMMENT ON COLUMN db_service.layout.leaves IS 'Number of hash leaves, a power of two; 1 is one plain table. Of leaves by the week any other number will do: there are as many as time wants.';

CREATE VIEW db_service.week_leaves AS
SELECT l.table_name, n.nspname AS leaf_schema,
       w.since::timestamp AT TIME ZONE 'UTC' AS since,
       (w.since + 7)::timestamp AT TIME ZONE 'UTC' AS until,
       GREATEST(COALESCE(s.n_live_tup, 0), c.reltuples::bigint, 0) AS estimated_rows,
       pg_catalog.pg_table_size(c.oid) AS table_bytes,
       pg_catalog.pg_indexes_size(c.oid) AS index_bytes
FROM db_service.layout l
JOIN pg_catalog.pg_inherits i ON i.inhparent = pg_catalog.to_regclass(pg_catalog.format('public.%I', l.table_name))
JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname ~ '^leaf_(week|rest)_[0-9]{8}$'
LEFT JOIN LATERAL (
    SELECT pg_catalog.to_date(pg_catalog.substring(n.nspname, '^leaf_week_([0-9]{8})$'), 'YYYYMMDD') AS since) w ON true
LEFT JOIN pg_catalog.pg_stat_user_tables s ON s.relid = c.oid
WHERE l.path_key IS NULL;

COMMENT ON VIEW db_service.week_leaves IS 'Every leaf of a table that is laid out by the week: from when until when it takes rows, and what it holds; without times, that for rows of no week. Rows are the statistics collector''s estimate.';
