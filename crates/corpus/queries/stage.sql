SET statement_timeout = 0;
SET jit = off;
SET client_min_messages = warning;
-- Little is looked up in what may be much: by the keys. A staging table has no statistics that would tell.
SET enable_hashjoin = off;
SET enable_mergejoin = off;

CREATE TEMPORARY TABLE corpus_file (
    repo_name text, file_path text, content text, content_hash bytea, size_bytes integer, language text
) ON COMMIT DELETE ROWS;

CREATE TEMPORARY TABLE corpus_vector (
    repo_name text, path text, content_hash bytea, embedding public.vector(768)
) ON COMMIT DELETE ROWS;
