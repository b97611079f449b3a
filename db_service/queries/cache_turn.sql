-- Until the end of the transaction. Two keys that come to the same number wait for each other in vain, and lose no more than that.
SELECT pg_catalog.pg_try_advisory_xact_lock(pg_catalog.hashtextextended('db_service.cache ' || pg_catalog.encode($1::bytea, 'hex'), 0)) AS "is_ours!"
