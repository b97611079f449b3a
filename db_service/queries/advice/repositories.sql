-- The largest repositories, by what ANALYZE has noted of each table and leaf: the most common values of `repo_name`, with their
-- shares. A row without a name for a table of which it has noted none, or of which this role may not see it.
WITH RECURSIVE tree AS (
    SELECT c.relname::text AS root, c.oid
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND n.nspname = 'public' AND c.relname IN ('code_files', 'embeddings')
    UNION ALL
    SELECT t.root, i.inhrelid FROM tree t JOIN pg_catalog.pg_inherits i ON i.inhparent = t.oid)
SELECT t.root AS "root!", c.relkind = 'p' AS "is_parent!",
       -- Of what is above leaves, what these hold: it may have been analyzed long ago.
       GREATEST(c.reltuples, pg_catalog.pg_stat_get_live_tuples(c.oid), (
           SELECT pg_catalog.sum(GREATEST(l.reltuples, pg_catalog.pg_stat_get_live_tuples(l.oid))) FROM tree b
           JOIN pg_catalog.pg_class l ON l.oid = b.oid AND l.relkind = 'r'
           WHERE b.root = t.root AND c.relkind = 'p'))::bigint AS "rows!",
       pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT') AND NOT pg_catalog.row_security_active(c.oid) AS "is_visible!",
       s.n_distinct IS NOT NULL AS "is_analyzed!",
       common.name, common.share, pg_catalog.hashtextextended(common.name, $1) AS hash
FROM tree t
JOIN pg_catalog.pg_class c ON c.oid = t.oid AND c.relkind IN ('r', 'p')
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = 'repo_name' AND NOT a.attisdropped
LEFT JOIN pg_catalog.pg_stats s ON s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = 'repo_name'
     AND s.inherited = (c.relkind = 'p')
LEFT JOIN LATERAL (
    SELECT v.name, v.share
    FROM ROWS FROM (pg_catalog.unnest(s.most_common_vals::text::text[]), pg_catalog.unnest(s.most_common_freqs)) v (name, share)
    ORDER BY v.share DESC LIMIT 5) common ON true
ORDER BY t.root, common.share DESC
