-- What is gone is forgotten.
WITH used AS (
    SELECT u.name, u.blocks FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::bigint[])) u (name, blocks)
), gone AS (
    DELETE FROM db_service.index_use i WHERE i.index_name <> ALL ($1)
)
INSERT INTO db_service.index_use AS i (index_name, blocks, noted_at)
SELECT u.name, u.blocks, pg_catalog.now() FROM used u
ON CONFLICT (index_name) DO UPDATE SET blocks = excluded.blocks, noted_at = excluded.noted_at
WHERE i.blocks <> excluded.blocks
