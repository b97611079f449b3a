-- How much there is of a table: rows as the statistics have them, bytes of tables and of indexes; and whether a vector index
-- is among these.
SELECT COALESCE(pg_catalog.sum(GREATEST(c.reltuples, s.n_live_tup, 0)), 0)::bigint AS "rows!",
       COALESCE(pg_catalog.sum(pg_catalog.pg_table_size(c.oid)), 0)::bigint AS "table_bytes!",
       COALESCE(pg_catalog.sum(pg_catalog.pg_indexes_size(c.oid)), 0)::bigint AS "index_bytes!",
       COALESCE(pg_catalog.bool_or(EXISTS (
           SELECT FROM pg_catalog.pg_index i
           JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
           JOIN pg_catalog.pg_am m ON m.oid = x.relam AND m.amname IN ('hnsw', 'ivfflat')
           WHERE i.indrelid = c.oid)), false) AS "has_vector_index!"
-- By their names: to look one up as a relation takes a right in its schema.
FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) t (schema, name)
JOIN pg_catalog.pg_namespace n ON n.nspname = t.schema
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = t.name
LEFT JOIN pg_catalog.pg_stat_all_tables s ON s.relid = c.oid
