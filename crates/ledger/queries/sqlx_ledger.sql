SELECT version, success, checksum
FROM db_service._sqlx_migrations
ORDER BY version
