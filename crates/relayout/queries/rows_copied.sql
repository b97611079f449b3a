-- Rows that the job on its way has copied so far.
SELECT COALESCE((SELECT pg_catalog.sum(r.rows_copied) FROM db_service.relayout_range r WHERE r.job_id = j.id), 0)::bigint AS "rows!"
FROM db_service.relayout_job j
WHERE j.table_name = $1 AND j.phase NOT IN ('cleaned', 'abandoned')
