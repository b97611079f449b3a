-- Ends the sessions of that name in this database, and counts those that were there to be ended.
SELECT pg_catalog.count(pg_catalog.pg_terminate_backend(pid)) AS "count!"
FROM pg_catalog.pg_stat_activity
WHERE datname = pg_catalog.current_database() AND application_name = $1 AND pid <> pg_catalog.pg_backend_pid()
