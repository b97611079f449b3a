-- The first of what is not there, and whether this role may do all of it; null where something is not there.
SELECT COALESCE(
           CASE WHEN $1::text IS NOT NULL AND pg_catalog.to_regprocedure($1) IS NULL THEN $1 END,
           (SELECT t.name FROM pg_catalog.unnest($2::text[]) t (name) WHERE pg_catalog.to_regclass(t.name) IS NULL LIMIT 1)) AS missing,
       COALESCE(pg_catalog.has_function_privilege(pg_catalog.to_regprocedure($1), 'EXECUTE'), $1 IS NULL)
       AND (SELECT bool_and(pg_catalog.has_table_privilege(pg_catalog.to_regclass(t.name), p.privilege))
            FROM ROWS FROM (pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::text[])) t (name, privileges)
            CROSS JOIN LATERAL pg_catalog.unnest(pg_catalog.string_to_array(t.privileges, ', ')) p (privilege)) AS may
