-- Who asks, since policies may show roles different rows; and the versions of repositories, in their order, or that of all. Null
-- where one of them is not kept.
SELECT current_user::text AS "role!",
       (SELECT CASE WHEN pg_catalog.bool_and(v.version IS NOT NULL) THEN pg_catalog.array_agg(v.version ORDER BY v.number) END
        FROM (SELECT r.number, db_service.version_of(r.name) AS version
              FROM pg_catalog.unnest($1::text[]) WITH ORDINALITY r (name, number)
              UNION ALL
              SELECT 0, db_service.version_of_all() WHERE $1::text[] IS NULL) v) AS versions
