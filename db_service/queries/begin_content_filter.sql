-- What a filter that is built in this snapshot will hold.
SELECT pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())::text AS "horizon!",
       -- Every row may have a content of its own.
       (SELECT pg_catalog.count(*) FROM public.code_files) AS "rows!",
       NOT EXISTS (SELECT FROM db_service.kept_trigger k WHERE k.keeps = 'contents' AND NOT k.in_place)
       AND EXISTS (SELECT FROM db_service.kept_trigger k WHERE k.keeps = 'contents') AS "is_kept!"
