SELECT a.id AS "id!", a.response AS "response!", a.asked AS "asked!", a.distance AS "distance!", a.way AS "way!"
FROM db_service.find_answer($1, $2, $3::text::public.vector, $4) a
