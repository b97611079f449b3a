-- What a table holds, leaf by leaf, those of parts by path together; one row without a leaf for a plain table.
SELECT modulus, remainder,
       pg_catalog.sum(estimated_rows)::bigint AS "rows!",
       pg_catalog.sum(table_bytes)::bigint AS "table_bytes!",
       pg_catalog.sum(index_bytes)::bigint AS "index_bytes!"
FROM db_service.partition_stats
WHERE table_name = $1
GROUP BY modulus, remainder
ORDER BY modulus, remainder
