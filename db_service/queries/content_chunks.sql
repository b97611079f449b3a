-- The pieces of a filter, in order.
SELECT c.number AS "number!", c.bytes AS "bytes!"
FROM db_service.content_filter_chunk c
WHERE c.epoch = pg_catalog.encode($1::bytea, 'hex')::uuid
ORDER BY c.number
