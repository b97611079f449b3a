-- The filter of contents: what is wanted, what is there, and what has been written since.
SELECT EXISTS (SELECT FROM db_service.kept_trigger k WHERE k.keeps = 'contents') AS "is_wanted!",
       NOT EXISTS (SELECT FROM db_service.kept_trigger k WHERE k.keeps = 'contents' AND NOT k.in_place) AS "is_in_place!",
       -- The layout is to be such that the triggers are put on.
       EXISTS (SELECT FROM db_service.layout l WHERE l.table_name = 'code_files' AND l.leaves > 1) AS "is_laid_out!",
       f.built_at IS NOT NULL AS "is_built!",
       COALESCE(f.cluster = (SELECT c.system_identifier FROM pg_catalog.pg_control_system() c), false) AS "is_here!",
       f.capacity,
       f.keys,
       pg_catalog.date_part('epoch', pg_catalog.now() - f.built_at)::bigint AS age_seconds,
       s.entries AS "entries!",
       s.keys AS "logged!",
       -- Of all leaves; what the statistics forget is not counted.
       GREATEST((SELECT pg_catalog.sum(pg_catalog.pg_stat_get_tuples_deleted(t.relid))
                 FROM pg_catalog.pg_partition_tree(pg_catalog.to_regclass('public.code_files')) t WHERE t.isleaf)::bigint - f.deleted, 0) AS deleted,
       pg_catalog.pg_has_role(d.relowner, 'USAGE') AS "is_owner!",
       d.relowner::pg_catalog.regrole::text AS "owner!"
FROM pg_catalog.pg_class d
-- A row that somebody has removed is as good as one that says that nothing is built.
LEFT JOIN db_service.content_filter f ON true
CROSS JOIN (SELECT pg_catalog.count(*) AS entries, COALESCE(pg_catalog.sum(pg_catalog.octet_length(l.keys)), 0)::bigint / 8 AS keys
            FROM db_service.content_key_log l) s
WHERE d.oid = 'db_service.content_filter'::pg_catalog.regclass
