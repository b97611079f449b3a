-- How much each index of the tables that are searched was used: as the counters say since they were emptied, and as was noted before.
SELECT i.name AS "name!", pg_catalog.pg_relation_size(i.oid) AS "bytes!", i.blocks AS "blocks!", COALESCE(u.blocks, 0) AS "noted!"
FROM (SELECT s.indexrelid AS oid, pg_catalog.format('%I.%I', s.schemaname, s.indexrelname) AS name,
             COALESCE(s.idx_blks_hit + s.idx_blks_read, 0) AS blocks
      FROM pg_catalog.pg_statio_user_indexes s
      WHERE s.schemaname IN ('public', 'db_service') OR s.schemaname ~ '^leaf_[0-9]+_[0-9]+') i
LEFT JOIN db_service.index_use u ON u.index_name = i.name
WHERE pg_catalog.pg_relation_size(i.oid) > 0
