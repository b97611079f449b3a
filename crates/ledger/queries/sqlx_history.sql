SELECT version,
       pg_catalog.to_char(installed_on AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS "applied_at!"
FROM db_service._sqlx_migrations
