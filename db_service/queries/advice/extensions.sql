-- Extensions that are of use: which version is installed in this database, where, and which one the server has files of.
SELECT wanted.name AS "name!", x.extversion AS installed, n.nspname::text AS schema, a.default_version AS offered
FROM pg_catalog.unnest('{vector,vchord,timescaledb,citus,pg_stat_statements}'::text[]) wanted (name)
LEFT JOIN pg_catalog.pg_extension x ON x.extname = wanted.name
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = x.extnamespace
LEFT JOIN pg_catalog.pg_available_extensions a ON a.name = wanted.name
