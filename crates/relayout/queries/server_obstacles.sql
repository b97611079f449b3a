-- What stands against changing a table's storage that is not the table's own.
SELECT pg_catalog.pg_has_role(c.relowner, 'USAGE') AS "owns!",
       CURRENT_USER::text AS "role!",
       pg_catalog.current_setting('max_locks_per_transaction')::bigint
           * (pg_catalog.current_setting('max_connections')::bigint
              + pg_catalog.current_setting('max_prepared_transactions')::bigint) AS "lock_slots!"
FROM pg_catalog.pg_class c
WHERE c.oid = pg_catalog.to_regclass($1)
