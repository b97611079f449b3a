-- Adaptive layout: how large a leaf may grow, how large the leaves are, and which of them to split.
--
-- requires-ecto: 20251005030000, 20251005030001
-- requires-table: public.code_files, public.embeddings
-- provides: db_service.layout_policy, db_service.partition_stats, db_service.partition_plan
--
-- Why: repositories are of very unequal size, so equal shares of hashes are not equal shares of rows.
-- This file only declares; `migrations split` and `migrations merge` move rows.
-- Locks: none on tables of others. Undo: drop the three, layout_policy last.

CREATE TABLE db_service.layout_policy (
    table_name text PRIMARY KEY REFERENCES db_service.layout,
    leaf_rows bigint NOT NULL CHECK (leaf_rows > 0),
    most_leaves integer NOT NULL CHECK (most_leaves BETWEEN 2 AND 1024)
);

COMMENT ON TABLE db_service.layout_policy IS 'How large leaves should be, by table.';
COMMENT ON COLUMN db_service.layout_policy.leaf_rows IS 'Rows that a leaf should hold; it is to be split when it holds more than twice as many.';
COMMENT ON COLUMN db_service.layout_policy.most_leaves IS 'Leaves that a table may have: a search without a repository visits them all.';

INSERT INTO db_service.layout_policy (table_name, leaf_rows, most_leaves) VALUES
    ('code_files', 5000000, 64),
    ('embeddings', 1000000, 32);

CREATE VIEW db_service.partition_stats AS
SELECT l.table_name,
       n.nspname AS leaf_schema,
       COALESCE(m.modulus, b.modulus) AS modulus,
       COALESCE(m.remainder, b.remainder) AS remainder,
       GREATEST(COALESCE(s.n_live_tup, 0), c.reltuples::bigint, 0) AS estimated_rows,
       pg_catalog.pg_table_size(c.oid) AS table_bytes,
       pg_catalog.pg_indexes_size(c.oid) AS index_bytes,
       COALESCE(s.n_dead_tup, 0) AS dead_rows,
       COALESCE(s.seq_scan, 0) AS sequential_scans,
       COALESCE(s.idx_scan, 0) AS index_scans,
       GREATEST(s.last_vacuum, s.last_autovacuum) AS last_vacuum,
       GREATEST(s.last_analyze, s.last_autoanalyze) AS last_analyze
FROM db_service.layout l
CROSS JOIN LATERAL (SELECT pg_catalog.to_regclass(pg_catalog.format('public.%I', l.table_name)) AS root) r
CROSS JOIN LATERAL (
    SELECT relid, parentrelid, isleaf, level FROM pg_catalog.pg_partition_tree(r.root)
    -- A plain table has no tree.
    UNION SELECT oid, NULL, true, 0 FROM pg_catalog.pg_class WHERE oid = r.root AND relkind = 'r') t
JOIN pg_catalog.pg_class c ON c.oid = t.relid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_class p ON p.oid = t.parentrelid AND t.level > 1
CROSS JOIN LATERAL (
    SELECT pg_catalog.substring(pg_catalog.pg_get_expr(c.relpartbound, c.oid), 'modulus (\d+)')::integer AS modulus,
           pg_catalog.substring(pg_catalog.pg_get_expr(c.relpartbound, c.oid), 'remainder (\d+)')::integer AS remainder) b
CROSS JOIN LATERAL (
    SELECT pg_catalog.substring(pg_catalog.pg_get_expr(p.relpartbound, p.oid), 'modulus (\d+)')::integer AS modulus,
           pg_catalog.substring(pg_catalog.pg_get_expr(p.relpartbound, p.oid), 'remainder (\d+)')::integer AS remainder) m
LEFT JOIN pg_catalog.pg_stat_user_tables s ON s.relid = c.oid
WHERE t.isleaf;

COMMENT ON VIEW db_service.partition_stats IS 'Every table that holds rows of a table that is laid out: size, use, upkeep. Rows are the statistics collector''s estimate.';

CREATE VIEW db_service.partition_plan AS
SELECT s.table_name, s.modulus, s.remainder,
       pg_catalog.sum(s.estimated_rows)::bigint AS estimated_rows,
       p.leaf_rows AS target_rows,
       pg_catalog.sum(s.estimated_rows) > 2 * p.leaf_rows AND pg_catalog.count(*) = 1 AS to_split
FROM db_service.partition_stats s
JOIN db_service.layout_policy p USING (table_name)
WHERE s.modulus IS NOT NULL
GROUP BY s.table_name, s.modulus, s.remainder, p.leaf_rows;

COMMENT ON VIEW db_service.partition_plan IS 'Leaves against the policy. `migrations split` looks into those that are to be split, and says which can be.';
