-- Has the pieces of an epoch hold, and forgets what they make superfluous.
WITH stored AS (
    UPDATE db_service.content_filter f SET
        epoch = pg_catalog.encode($1::bytea, 'hex')::uuid, built_at = pg_catalog.clock_timestamp(),
        horizon = $2::text::pg_catalog.xid8, cluster = (SELECT c.system_identifier FROM pg_catalog.pg_control_system() c),
        capacity = $3::bigint, keys = $4::bigint, chunks = $5::integer,
        deleted = CASE WHEN $6::boolean THEN f.deleted ELSE (
            SELECT COALESCE(pg_catalog.sum(pg_catalog.pg_stat_get_tuples_deleted(t.relid)), 0)
            FROM pg_catalog.pg_partition_tree(pg_catalog.to_regclass('public.code_files')) t WHERE t.isleaf) END
), pieces AS (
    DELETE FROM db_service.content_filter_chunk c WHERE c.epoch <> pg_catalog.encode($1::bytea, 'hex')::uuid
)
DELETE FROM db_service.content_key_log l WHERE l.written_by < $2::text::pg_catalog.xid8
