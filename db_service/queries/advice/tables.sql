-- What holds rows of the tables that are looked at: each plain one, its leaves, and their parts by path. From the catalog and the
-- server's statistics; no row is read. $1: whether sizes are those of the files, for which a lock is taken that waits for whoever
-- alters the table; else the pages are counted that there were when the server last did.
WITH RECURSIVE tree AS (
    SELECT c.relname::text AS root, c.oid, NULL::oid AS parent
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND (n.nspname, c.relname) IN (
        ('public', 'code_files'), ('public', 'embeddings'), ('public', 'rag_performance_stats'), ('db_service', 'embedding_codes'),
        ('db_service', 'cache_0'), ('db_service', 'cache_1'), ('db_service', 'cache_2'))
    UNION ALL
    -- Partitions, and the chunks of a hypertable.
    SELECT t.root, i.inhrelid, i.inhparent FROM tree t JOIN pg_catalog.pg_inherits i ON i.inhparent = t.oid)
SELECT t.root AS "root!", t.parent IS NOT NULL AS "is_below!", c.relkind = 'p' AS "is_parent!",
       -- From the schema's name: to be told the bounds, one waits for whoever alters the table.
       pg_catalog.substring(n.nspname, '^leaf_(\d+)_\d+')::integer AS modulus,
       pg_catalog.substring(n.nspname, '^leaf_\d+_(\d+)')::integer AS remainder,
       -- None: nobody has counted.
       CASE WHEN c.reltuples >= 0 OR pg_catalog.pg_stat_get_live_tuples(c.oid) > 0
            THEN GREATEST(c.reltuples, pg_catalog.pg_stat_get_live_tuples(c.oid))::bigint END AS rows,
       CASE WHEN $1 THEN pg_catalog.pg_relation_size(c.oid) ELSE c.relpages * block.bytes END > 0 AS "has_pages!",
       COALESCE(CASE WHEN $1 THEN pg_catalog.pg_table_size(c.oid) ELSE (
           SELECT pg_catalog.sum(p.relpages)::bigint * block.bytes FROM pg_catalog.pg_class p WHERE p.oid IN (c.oid, c.reltoastrelid))
       END, 0) AS "table_bytes!",
       COALESCE(indexes.bytes, 0) AS "index_bytes!",
       COALESCE(indexes.of_vectors, 0) AS "vector_index_bytes!",
       COALESCE(indexes.of_key, 0) AS "primary_key_bytes!",
       COALESCE(indexes.names, '{}') AS "vector_indexes!: Vec<String>",
       EXISTS (SELECT FROM pg_catalog.pg_attribute a
               WHERE a.attrelid = c.oid AND a.attname = 'embedding' AND a.attstorage = 'p') AS "is_inline!"
FROM tree t
JOIN pg_catalog.pg_class c ON c.oid = t.oid AND c.relkind IN ('r', 'p')
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (SELECT pg_catalog.current_setting('block_size')::bigint AS bytes) block
LEFT JOIN LATERAL (
    SELECT pg_catalog.sum(size.bytes)::bigint AS bytes,
           (pg_catalog.sum(size.bytes) FILTER (WHERE m.amname IN ('hnsw', 'ivfflat', 'vchordrq', 'vchordg')))::bigint AS of_vectors,
           (pg_catalog.sum(size.bytes) FILTER (WHERE i.indisprimary))::bigint AS of_key,
           pg_catalog.array_agg(x.relname::text) FILTER (
               WHERE i.indisvalid AND m.amname IN ('hnsw', 'ivfflat', 'vchordrq', 'vchordg')) AS names
    FROM pg_catalog.pg_index i
    JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
    JOIN pg_catalog.pg_am m ON m.oid = x.relam
    CROSS JOIN LATERAL (
        SELECT CASE WHEN $1 THEN pg_catalog.pg_relation_size(x.oid) ELSE x.relpages * block.bytes END AS bytes) size
    WHERE i.indrelid = c.oid) indexes ON true
ORDER BY t.root, modulus, remainder
