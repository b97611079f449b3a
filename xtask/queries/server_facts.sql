-- What the server is and what it offers. `shared_preload_libraries` is hidden from unprivileged roles: null then.
-- The function, not the view of that name: the view also joins what is installed, which costs more than all the rest.
SELECT pg_catalog.current_setting('server_version_num')::integer AS "version_number!",
       pg_catalog.current_setting('server_version') AS "version!",
       CASE WHEN pg_catalog.pg_has_role('pg_read_all_settings', 'USAGE')
            THEN pg_catalog.current_setting('shared_preload_libraries') END AS preload,
       coalesce(pg_catalog.array_agg(name::text), '{}') AS "offered!",
       coalesce(pg_catalog.array_agg(default_version), '{}') AS "offered_versions!"
FROM pg_catalog.pg_available_extensions()
WHERE name = ANY ($1::text[])
