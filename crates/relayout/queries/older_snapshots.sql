-- Is a transaction open whose snapshot is older than transaction $1? Its 32 low bits are compared by age.
SELECT EXISTS (
    SELECT 1
    FROM pg_catalog.pg_stat_activity a
    WHERE a.datname = pg_catalog.current_database() AND a.pid <> pg_catalog.pg_backend_pid()
      AND a.backend_type = 'client backend'
      AND pg_catalog.age(a.backend_xmin) > pg_catalog.age(($1::text::numeric % 4294967296)::text::xid)
) AS "older!"
