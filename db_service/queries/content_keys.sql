-- The filter of contents, as the database has it, and what was written since: since a snapshot that a process has looked with,
-- else since the filter was built. One row at least, if there is a word of it at all.
SELECT EXISTS (SELECT FROM db_service.kept_trigger k WHERE k.keeps = 'contents') AS "is_wanted!",
       NOT EXISTS (SELECT FROM db_service.kept_trigger k WHERE k.keeps = 'contents' AND NOT k.in_place) AS "is_in_place!",
       -- Whoever applies the changes of another server fires no trigger of a statement.
       EXISTS (SELECT FROM pg_catalog.pg_subscription_rel s JOIN pg_catalog.pg_class c ON c.oid = s.srrelid
               WHERE c.relname = 'code_files') AS "is_subscribed!",
       f.built_at IS NOT NULL AS "is_built!",
       COALESCE(f.cluster = (SELECT c.system_identifier FROM pg_catalog.pg_control_system() c), false) AS "is_here!",
       pg_catalog.uuid_send(f.epoch) AS "epoch!",
       COALESCE(f.chunks, 0) AS "chunks!",
       -- A server that was started, or has recovered from a crash, may give numbers of transactions once more: those that had
       -- not come to its disk. Its statistics begin anew after a crash.
       pg_catalog.concat_ws(' ', pg_catalog.pg_postmaster_start_time(), (SELECT w.stats_reset FROM pg_catalog.pg_stat_bgwriter w),
                            (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())) AS "run!",
       pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())::text AS "horizon!",
       -- On a replica a snapshot does not name the transactions that were under way.
       CASE WHEN NOT pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_current_snapshot()::text END AS seen,
       l.keys AS "keys?"
FROM db_service.content_filter f
LEFT JOIN db_service.content_key_log l
    ON l.written_by >= COALESCE($1::text::pg_catalog.xid8, f.horizon)
    AND ($2::text IS NULL OR NOT pg_catalog.pg_visible_in_snapshot(l.written_by, $2::text::pg_catalog.pg_snapshot))
