SELECT db_service.cache_put($1, $2, $3)
