-- Ecto notes it in UTC; very old ledgers have no such column.
SELECT version, pg_catalog.to_jsonb(m) ->> 'inserted_at' || 'Z' AS applied_at
FROM public.schema_migrations m
