-- The job that is on its way for a table.
SELECT id, source, target, definition, phase
FROM db_service.relayout_job
WHERE table_name = $1 AND phase NOT IN ('cleaned', 'abandoned')
