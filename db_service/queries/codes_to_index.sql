-- How many codes there are, about, and where VectorChord's operators are, if it is installed.
SELECT GREATEST(c.reltuples, 0)::bigint AS "rows!",
       (SELECT o.opcnamespace::pg_catalog.regnamespace::text
        FROM pg_catalog.pg_opclass o JOIN pg_catalog.pg_am a ON a.oid = o.opcmethod
        WHERE a.amname = 'vchordrq' AND o.opcname = 'halfvec_cosine_ops' AND o.opcintype = 'public.halfvec'::pg_catalog.regtype)
           AS vchord
FROM pg_catalog.pg_class c
WHERE c.oid = 'db_service.embedding_codes'::pg_catalog.regclass
