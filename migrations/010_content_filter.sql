-- Deduplication: which contents are known already and what of a repository has changed, exactly; and a filter over the hashes of
-- all contents, which spares most of the questions.
--
-- requires-ecto: 20251005030000
-- requires-table: public.code_files
-- provides: db_service.known_content(bytea[]), db_service.changed_files(text, text[], bytea[])
-- provides: db_service.content_filter, db_service.content_filter_chunk, db_service.content_key_log
-- provides: db_service.log_content_keys(), db_service.forget_content_filter(), db_service.keep_content_filter(boolean)
--
-- Why: to compute a vector costs a thousand times as much as to find out that it is there. Whoever imports a fork, or another
-- version of a library, asks for each file; most of what is really new is told from the filter, without a question.
-- Who uses it: the application (`SELECT * FROM db_service.known_content($1)`), `db_service::dedup`, `migrations filters`.
-- The filter is off until somebody wants it, and then needs two triggers more; without it nothing is written here.
-- Locks: none on tables of others. Undo: `SELECT db_service.keep_content_filter(false)` and `migrations`, then drop the functions
-- and the tables.

-- Exactly ----------------------------------------------------------------------------------------------------------------

-- bytea, as the column has it: 32 bytes. Hexadecimal digits would be twice as long, and have to be read for each.
CREATE FUNCTION db_service.known_content(hashes bytea[]) RETURNS TABLE (content_hash bytea)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 100 SET search_path = ''
-- One scan of each leaf's index, however many are asked for, and planned once.
SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off SET enable_bitmapscan = off
SET enable_indexscan = on SET enable_indexonlyscan = on
AS $$
#variable_conflict use_column
DECLARE
    other integer;
BEGIN
    SELECT pg_catalog.octet_length(h.hash) INTO other
    FROM pg_catalog.unnest(hashes) h (hash) WHERE pg_catalog.octet_length(h.hash) <> 32 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'a hash of a content has 32 bytes, and one of % was given', other
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'it is the SHA-256 itself, not its hexadecimal digits: sha256(content), or decode(digits, ''hex'')';
    END IF;
    RETURN QUERY SELECT DISTINCT f.content_hash FROM public.code_files f WHERE f.content_hash = ANY (hashes);
END $$;

COMMENT ON FUNCTION db_service.known_content(bytea[]) IS 'Those of the hashes (SHA-256, 32 bytes each) that code_files has, in whatever repository; each once, in no order. Nulls are passed over.';

CREATE FUNCTION db_service.changed_files(repository text, paths text[], hashes bytea[]) RETURNS TABLE (file_path text, change text)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 100 SET search_path = '' SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    other text;
BEGIN
    IF pg_catalog.cardinality(paths) IS DISTINCT FROM pg_catalog.cardinality(hashes) OR paths IS NULL THEN
        RAISE EXCEPTION 'each path has one hash, and % paths and % hashes were given',
            COALESCE(pg_catalog.cardinality(paths), 0), COALESCE(pg_catalog.cardinality(hashes), 0)
            USING ERRCODE = 'invalid_parameter_value';
    ELSIF EXISTS (SELECT FROM ROWS FROM (pg_catalog.unnest(paths), pg_catalog.unnest(hashes)) g (path, hash)
                  WHERE g.path IS NULL OR COALESCE(pg_catalog.octet_length(g.hash), 0) <> 32) THEN
        RAISE EXCEPTION 'each path has a hash of 32 bytes, and none of both is null'
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'it is the SHA-256 itself, not its hexadecimal digits: sha256(content), or decode(digits, ''hex'')';
    END IF;
    SELECT g.path INTO other FROM pg_catalog.unnest(paths) g (path) GROUP BY g.path HAVING pg_catalog.count(*) > 1 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'path "%" was given more than once', other USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN QUERY
    SELECT COALESCE(g.path, f.file_path),
           CASE WHEN f.file_path IS NULL THEN 'new' WHEN g.path IS NULL THEN 'gone' ELSE 'changed' END
    FROM ROWS FROM (pg_catalog.unnest(paths), pg_catalog.unnest(hashes)) g (path, hash)
    FULL JOIN (SELECT c.file_path, c.content_hash FROM public.code_files c WHERE c.repo_name = repository) f
        ON f.file_path = g.path
    WHERE g.hash IS DISTINCT FROM f.content_hash
    ORDER BY 1;
END $$;

COMMENT ON FUNCTION db_service.changed_files(text, text[], bytea[]) IS 'What is to be done so that a repository holds these files: each path that is ''new'', ''changed'' or ''gone''. What is unchanged is left out.';

-- The filter -------------------------------------------------------------------------------------------------------------

CREATE TABLE db_service.content_filter (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    epoch uuid NOT NULL DEFAULT pg_catalog.gen_random_uuid(),
    built_at timestamptz,
    horizon xid8,
    cluster bigint,
    capacity bigint,
    keys bigint,
    chunks integer,
    deleted bigint,
    CHECK (pg_catalog.num_nulls(built_at, horizon, cluster, capacity, keys, chunks, deleted) IN (0, 7))
);

COMMENT ON TABLE db_service.content_filter IS 'One row: what there is of the filter over code_files.content_hash. Nulls: it is not built.';
COMMENT ON COLUMN db_service.content_filter.epoch IS 'Another one whenever what is in content_filter_chunk is another.';
COMMENT ON COLUMN db_service.content_filter.horizon IS 'What transactions below it have written is in the chunks; the others are in content_key_log, if they have committed.';
COMMENT ON COLUMN db_service.content_filter.cluster IS 'Where it was built: elsewhere transactions have other numbers.';
COMMENT ON COLUMN db_service.content_filter.deleted IS 'How many rows had been deleted by then, as the statistics have it: their keys stay until it is rebuilt.';

INSERT INTO db_service.content_filter DEFAULT VALUES;

CREATE TABLE db_service.content_filter_chunk (
    epoch uuid NOT NULL,
    number integer NOT NULL CHECK (number >= 0),
    bytes bytea NOT NULL,
    PRIMARY KEY (epoch, number)
);
-- Half of the bits are set, at random: nothing could be compressed.
ALTER TABLE db_service.content_filter_chunk ALTER COLUMN bytes SET STORAGE EXTERNAL;

COMMENT ON TABLE db_service.content_filter_chunk IS 'The filter as db_service::dedup writes it down, in pieces: head, bits, checksum.';

-- A row for each statement, not for each row that it writes, and nothing that is unique: writers pay little and never wait for
-- each other. A number that counts would not do for those who read on: what has a smaller one may be committed later. So a
-- reader takes what was written by transactions that were not over when it looked the last time.
CREATE TABLE db_service.content_key_log (
    written_by xid8 NOT NULL,
    keys bytea NOT NULL CHECK (pg_catalog.octet_length(keys) % 8 = 0)
);
ALTER TABLE db_service.content_key_log ALTER COLUMN keys SET STORAGE EXTERNAL;
CREATE INDEX content_key_log_written_by ON db_service.content_key_log (written_by);

COMMENT ON TABLE db_service.content_key_log IS 'Keys of contents that were written to code_files while the filter is kept. What the filter holds is removed by `migrations`.';
COMMENT ON COLUMN db_service.content_key_log.keys IS 'The first 8 bytes of each hash, one after the other.';

CREATE FUNCTION db_service.log_content_keys() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    -- In parts, since a value has at most 1 GB.
    IF TG_OP = 'INSERT' THEN
        INSERT INTO db_service.content_key_log (written_by, keys)
        SELECT pg_catalog.pg_current_xact_id(), pg_catalog.string_agg(n.key, '\x'::bytea)
        FROM (SELECT pg_catalog.substr(r.content_hash, 1, 8) AS key, pg_catalog.row_number() OVER () / 65536 AS part
              FROM new_rows r) n
        GROUP BY n.part;
    ELSE
        -- An update of another column brings no new content.
        INSERT INTO db_service.content_key_log (written_by, keys)
        SELECT pg_catalog.pg_current_xact_id(), pg_catalog.string_agg(n.key, '\x'::bytea)
        FROM (SELECT pg_catalog.substr(r.content_hash, 1, 8) AS key, pg_catalog.row_number() OVER () / 65536 AS part
              FROM (SELECT content_hash FROM new_rows EXCEPT SELECT content_hash FROM old_rows) r) n
        GROUP BY n.part;
    END IF;
    RETURN NULL;
END $$;

COMMENT ON FUNCTION db_service.log_content_keys() IS 'Trigger: notes the keys of contents that a statement has written.';

CREATE FUNCTION db_service.forget_content_filter() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    INSERT INTO db_service.content_filter DEFAULT VALUES
    ON CONFLICT (only_row) DO UPDATE SET
        epoch = excluded.epoch, built_at = NULL, horizon = NULL, cluster = NULL, capacity = NULL, keys = NULL, chunks = NULL,
        deleted = NULL;
    DELETE FROM db_service.content_filter_chunk;
END $$;

COMMENT ON FUNCTION db_service.forget_content_filter() IS 'Has the filter built anew by the next `migrations`. To be called after rows were written with triggers disabled.';

CREATE FUNCTION db_service.keep_content_filter(wanted boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    IF wanted THEN
        -- What is deleted or truncated leaves keys behind that ask one question too many.
        INSERT INTO db_service.kept_trigger (table_name, name, event, function, keeps, begun_by)
        SELECT 'code_files', 'singularity_kept_contents_' || e.suffix, e.event, 'db_service.log_content_keys()', 'contents',
               'db_service.forget_content_filter()'
        FROM (VALUES ('inserted', 'INSERT'), ('updated', 'UPDATE')) e (suffix, event)
        ON CONFLICT (table_name, name) DO NOTHING;
    ELSE
        DELETE FROM db_service.kept_trigger k WHERE k.keeps = 'contents';
        PERFORM db_service.forget_content_filter();
    END IF;
END $$;

COMMENT ON FUNCTION db_service.keep_content_filter(boolean) IS 'Whether the filter is to be kept; `migrations` brings it about.';

-- They act with the rights of their owner.
REVOKE EXECUTE ON FUNCTION db_service.log_content_keys(), db_service.forget_content_filter(),
    db_service.keep_content_filter(boolean) FROM PUBLIC;
