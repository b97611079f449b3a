-- What is stored under a key; null where there is nothing.
SELECT db_service.cache_get($1)
