-- The job that is on its way for a table.
SELECT id, source AS "source: Json<Shape>", target AS "target: Json<Shape>", definition AS "definition: Json<Definition>", phase
FROM db_service.relayout_job
WHERE table_name = $1 AND phase NOT IN ('cleaned', 'abandoned')
