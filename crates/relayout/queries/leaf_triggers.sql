-- Triggers of others on leaves: those that are neither the table's own, which leaves have from it, nor of the layer.
SELECT n.nspname || '.' || c.relname AS "relation!", t.tgname::text AS "name!"
FROM pg_catalog.pg_trigger t
JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE NOT t.tgisinternal AND t.tgparentid = 0
  AND t.tgname NOT LIKE 'singularity\_relayout\_%' AND t.tgname NOT LIKE 'singularity\_kept\_%'
  AND n.nspname || '.' || c.relname = ANY ($1::text[])
ORDER BY 1, 2
