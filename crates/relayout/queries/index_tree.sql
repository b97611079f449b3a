-- A table with all that is below it, the top first, and its index of a given name.
SELECT n.nspname AS "schema!", t.isleaf AS "is_leaf!", pn.nspname AS "parent?",
       pg_catalog.substr(pg_catalog.pg_get_indexdef(x.oid), pg_catalog.strpos(pg_catalog.pg_get_indexdef(x.oid), ' USING ') + 1) AS "definition?",
       i.indisunique AS "is_unique?", i.indisvalid AS "is_valid?", COALESCE(x.relispartition, false) AS "is_attached!"
FROM (SELECT relid, parentrelid, isleaf, level FROM pg_catalog.pg_partition_tree(pg_catalog.to_regclass($1))
      -- A plain table has no tree.
      UNION SELECT oid, NULL, true, 0 FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass($1) AND relkind = 'r') t
JOIN pg_catalog.pg_class c ON c.oid = t.relid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_class p ON p.oid = t.parentrelid
LEFT JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace
LEFT JOIN (pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid) ON i.indrelid = c.oid AND x.relname = $2
ORDER BY t.level, n.nspname
