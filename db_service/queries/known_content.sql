-- Those of the contents that are there.
SELECT k.content_hash AS "hash!" FROM db_service.known_content($1::bytea[]) k
