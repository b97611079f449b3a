-- Is a transaction open whose snapshot is older than transaction $1? Its 32 low bits are compared by age. Of other roles'
-- sessions the server does not say what kind they are to whom it may not tell: then it is taken for a client's.
SELECT EXISTS (
    SELECT 1
    FROM pg_catalog.pg_stat_activity a
    WHERE a.datname = pg_catalog.current_database() AND a.pid <> pg_catalog.pg_backend_pid() AND a.usesysid IS NOT NULL
      AND COALESCE(a.backend_type, 'client backend') = 'client backend'
      AND pg_catalog.age(a.backend_xmin) > pg_catalog.age(($1::text::numeric % 4294967296)::text::xid)
    UNION ALL
    SELECT 1
    FROM pg_catalog.pg_prepared_xacts p
    WHERE p.database = pg_catalog.current_database()
      AND pg_catalog.age(p.transaction) > pg_catalog.age(($1::text::numeric % 4294967296)::text::xid)
) AS "older!"
