-- Rows a second, from the first statement to the last, of the fastest of the last five jobs that brought a table of some size into
-- a plain table, or into leaves. One that was cut off counts the time until it was taken up again, and is hardly ever the fastest.
SELECT pg_catalog.floor(pg_catalog.max(rate))::bigint AS rate
FROM (
    SELECT c.rows / GREATEST(EXTRACT(epoch FROM j.updated_at - j.started_at), 0.001) AS rate
    FROM db_service.relayout_job j
    CROSS JOIN LATERAL (
        SELECT pg_catalog.sum(r.rows_copied) AS rows FROM db_service.relayout_range r WHERE r.job_id = j.id) c
    WHERE j.table_name = $1 AND j.phase = 'cleaned' AND (j.target = '"plain"') = $2 AND c.rows >= 10000
    ORDER BY j.id DESC
    LIMIT 5) jobs
