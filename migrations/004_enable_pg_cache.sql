-- Versions of repositories, kept by triggers; and a cache of results that lives in the database.
--
-- requires-ecto: 20251005030000, 20251005030001
-- requires-table: public.code_files, public.embeddings
-- puts-triggers-on: code_files, embeddings
-- provides: db_service.kept_trigger, db_service.repository_version, db_service.note_changes(), db_service.note_truncation(), db_service.note_everything(), db_service.version_of(text), db_service.version_of_all(), db_service.fold_versions(integer), db_service.cache_0, db_service.cache_1, db_service.cache_2, db_service.cache_generation, db_service.cache_get(bytea), db_service.cache_put(bytea, bytea, interval), db_service.cache_rotate(), db_service.forget_results()
--
-- Why: what is computed from a repository's rows holds until one of them changes. A key that carries the repository's
-- version needs no list of what to delete: after a change nobody asks for it any more.
-- Used by: whoever caches; `docs/query-cache.md` shows how.
-- This file only declares; `migrations` puts the triggers on tables that are in leaves, and on their leaves.
-- Locks: none on tables of others. Undo: `migrations revert`, then DROP SCHEMA db_service CASCADE; what is not of 002 and
-- 003 alone: drop the functions with CASCADE, which takes the triggers along, then the tables.

CREATE TABLE db_service.kept_trigger (
    table_name text NOT NULL REFERENCES db_service.layout,
    name text NOT NULL CHECK (name LIKE 'singularity\_kept\_%'),
    event text NOT NULL CHECK (event IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE')),
    function text NOT NULL CHECK (function ~ '^[a-z0-9_]+\.[a-z0-9_]+\(\)$'),
    keeps text NOT NULL,
    begun_by text NOT NULL CHECK (begun_by ~ '^[a-z0-9_]+\.[a-z0-9_]+\(\)$'),
    in_place boolean NOT NULL DEFAULT false,
    PRIMARY KEY (table_name, name)
);

COMMENT ON TABLE db_service.kept_trigger IS 'Triggers that a table has while it is in leaves: AFTER the event, FOR EACH STATEMENT, ENABLE ALWAYS, on the table and on all that is below it. The rows of the statement are in new_rows and old_rows.';
COMMENT ON COLUMN db_service.kept_trigger.function IS 'The function that it runs, in full and with parentheses.';
COMMENT ON COLUMN db_service.kept_trigger.keeps IS 'What it keeps up to date, in one word.';
COMMENT ON COLUMN db_service.kept_trigger.begun_by IS 'A function, in full and with parentheses, that is called in the transaction that puts it on: what was written before was not noted.';
COMMENT ON COLUMN db_service.kept_trigger.in_place IS 'Whether it is on the table and on all of its leaves; set by `migrations` in the transaction that puts it there or takes it off.';

-- A version that writers updated would make two writers of one repository wait for each other until the first commits. So
-- each appends a mark of its own; a version is what the marks that a reader sees come to.
CREATE TABLE db_service.repository_version (
    concerns text NOT NULL CHECK (concerns IN ('one', 'every', 'all')),
    repo_name text NOT NULL CHECK (concerns = 'one' OR repo_name = ''),
    mark bigint NOT NULL,
    PRIMARY KEY (concerns, repo_name, mark)
);

COMMENT ON TABLE db_service.repository_version IS 'Marks: random numbers, one for each change of a repository. A version is the exclusive or of all marks that a reader sees; db_service.fold_versions() makes one of many.';
COMMENT ON COLUMN db_service.repository_version.concerns IS 'one: of one repository. every: of each repository, as after TRUNCATE. all: of all repositories together.';
COMMENT ON COLUMN db_service.repository_version.repo_name IS 'The repository that was changed; empty where it is not one.';

CREATE FUNCTION db_service.note_changes() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    changed text[];
BEGIN
    -- Read for each event by itself: a statement sees only the rows that its trigger names.
    CASE TG_OP
        WHEN 'INSERT' THEN
            changed := ARRAY(SELECT DISTINCT n.repo_name FROM new_rows n);
        WHEN 'DELETE' THEN
            changed := ARRAY(SELECT DISTINCT o.repo_name FROM old_rows o);
        ELSE
            changed := ARRAY(SELECT n.repo_name FROM new_rows n UNION SELECT o.repo_name FROM old_rows o);
    END CASE;
    IF pg_catalog.cardinality(changed) = 0 THEN
        RETURN NULL;
    END IF;
    -- Hashed from what nobody can seed or foresee: two equal marks would take each other away.
    INSERT INTO db_service.repository_version (concerns, repo_name, mark)
    SELECT 'one', c.repo_name, pg_catalog.uuid_hash_extended(pg_catalog.gen_random_uuid(), 0)
    FROM pg_catalog.unnest(changed) c (repo_name)
    UNION ALL
    SELECT 'all', '', pg_catalog.uuid_hash_extended(pg_catalog.gen_random_uuid(), 0);
    RETURN NULL;
END $$;

COMMENT ON FUNCTION db_service.note_changes() IS 'Trigger: a mark for each repository whose rows a statement has changed, and one for all together.';

CREATE FUNCTION db_service.note_everything() RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = ''
BEGIN ATOMIC
    INSERT INTO db_service.repository_version (concerns, repo_name, mark)
    SELECT c.concerns, '', pg_catalog.uuid_hash_extended(pg_catalog.gen_random_uuid(), 0)
    FROM (VALUES ('every'), ('all')) c (concerns);
END;

COMMENT ON FUNCTION db_service.note_everything() IS 'Changes the version of every repository. To be called after rows were changed with triggers disabled.';

CREATE FUNCTION db_service.note_truncation() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    PERFORM db_service.note_everything();
    RETURN NULL;
END $$;

COMMENT ON FUNCTION db_service.note_truncation() IS 'Trigger: a mark for every repository, since TRUNCATE does not say whose rows are gone.';

INSERT INTO db_service.kept_trigger (table_name, name, event, function, keeps, begun_by)
SELECT t.table_name, 'singularity_kept_version_' || e.suffix, e.event, e.function, 'versions', 'db_service.note_everything()'
FROM (VALUES ('code_files'), ('embeddings')) t (table_name)
CROSS JOIN (VALUES
    ('inserted', 'INSERT', 'db_service.note_changes()'),
    ('updated', 'UPDATE', 'db_service.note_changes()'),
    ('deleted', 'DELETE', 'db_service.note_changes()'),
    ('truncated', 'TRUNCATE', 'db_service.note_truncation()')) e (suffix, event, function);

-- Of all marks, not of the newest: commits become visible in any order, so that a number which counts or grows would have one
-- value for two different states.
CREATE FUNCTION db_service.version_of(repository text) RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = ''
RETURN CASE WHEN NOT EXISTS (
    SELECT 1 FROM db_service.kept_trigger k WHERE k.keeps = 'versions' AND NOT k.in_place)
THEN (
    SELECT COALESCE(pg_catalog.bit_xor(m.mark), 0)
    FROM (SELECT v.mark FROM db_service.repository_version v WHERE v.concerns = 'one' AND v.repo_name = repository
          UNION ALL
          SELECT v.mark FROM db_service.repository_version v WHERE v.concerns = 'every' AND v.repo_name = '') m)
END;

COMMENT ON FUNCTION db_service.version_of(text) IS 'A number that is another one after every change of the repository, as far as the calling statement sees it; to be read before what is cached under it is computed. NULL: versions are not kept, so do not cache.';

CREATE FUNCTION db_service.version_of_all() RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = ''
RETURN CASE WHEN NOT EXISTS (
    SELECT 1 FROM db_service.kept_trigger k WHERE k.keeps = 'versions' AND NOT k.in_place)
THEN (
    SELECT COALESCE(pg_catalog.bit_xor(v.mark), 0)
    FROM db_service.repository_version v WHERE v.concerns = 'all' AND v.repo_name = '')
END;

COMMENT ON FUNCTION db_service.version_of_all() IS 'A number that is another one after every change of any repository. NULL: versions are not kept, so do not cache.';

CREATE FUNCTION db_service.fold_versions(most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    folded integer;
BEGIN
    -- One at a time: two that took the same marks would leave them twice.
    IF NOT pg_catalog.pg_try_advisory_xact_lock(
        pg_catalog.hashtextextended('db_service.repository_version', 0)) THEN
        RETURN 0;
    END IF;
    -- One statement: a reader sees the many or the one, and both come to the same. Marks that are not committed are not seen
    -- here and stay.
    WITH many AS (
        SELECT v.concerns, v.repo_name FROM db_service.repository_version v
        GROUP BY v.concerns, v.repo_name HAVING pg_catalog.count(*) > 1),
    taken AS (
        SELECT v.concerns, v.repo_name, v.mark
        FROM db_service.repository_version v
        JOIN many m ON m.concerns = v.concerns AND m.repo_name = v.repo_name
        ORDER BY v.concerns, v.repo_name, v.mark LIMIT most),
    gone AS (
        DELETE FROM db_service.repository_version v USING taken s
        WHERE v.concerns = s.concerns AND v.repo_name = s.repo_name AND v.mark = s.mark
        RETURNING v.concerns, v.repo_name, v.mark),
    put AS (
        INSERT INTO db_service.repository_version (concerns, repo_name, mark)
        SELECT g.concerns, g.repo_name, pg_catalog.bit_xor(g.mark) FROM gone g GROUP BY g.concerns, g.repo_name
        RETURNING 1)
    SELECT (SELECT pg_catalog.count(*) FROM gone) - (SELECT pg_catalog.count(*) FROM put) INTO folded;
    RETURN folded;
END $$;

COMMENT ON FUNCTION db_service.fold_versions(integer) IS 'Makes one mark of many, of at most so many at a time; no version changes, and no writer waits. Returns by how many marks there are fewer; 0 also where another session is at it.';

CREATE UNLOGGED TABLE db_service.cache_0 (
    key bytea PRIMARY KEY,
    value bytea NOT NULL,
    stored_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE UNLOGGED TABLE db_service.cache_1 (
    key bytea PRIMARY KEY,
    value bytea NOT NULL,
    stored_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE UNLOGGED TABLE db_service.cache_2 (
    key bytea PRIMARY KEY,
    value bytea NOT NULL,
    stored_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);

COMMENT ON TABLE db_service.cache_0 IS 'One of three generations of cached results: written while it is the current one, read always, emptied when it becomes the current one again. Empty after a crash, and on replicas.';
COMMENT ON TABLE db_service.cache_1 IS 'As db_service.cache_0.';
COMMENT ON TABLE db_service.cache_2 IS 'As db_service.cache_0.';

CREATE TABLE db_service.cache_generation (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    current integer NOT NULL CHECK (current BETWEEN 0 AND 2),
    rotated_at timestamptz NOT NULL
);

COMMENT ON TABLE db_service.cache_generation IS 'One row: which generation of cached results is written to.';

INSERT INTO db_service.cache_generation (current, rotated_at) VALUES (0, pg_catalog.now());

CREATE FUNCTION db_service.cache_get(key bytea) RETURNS bytea
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    -- A replica has none of these tables' rows, and refuses to read them.
    IF pg_catalog.pg_is_in_recovery() THEN
        RETURN NULL;
    END IF;
    RETURN (
        SELECT c.value
        FROM (SELECT a.value, a.stored_at, a.expires_at FROM db_service.cache_0 a WHERE a.key = cache_get.key
              UNION ALL
              SELECT a.value, a.stored_at, a.expires_at FROM db_service.cache_1 a WHERE a.key = cache_get.key
              UNION ALL
              SELECT a.value, a.stored_at, a.expires_at FROM db_service.cache_2 a WHERE a.key = cache_get.key) c
        WHERE c.expires_at > pg_catalog.statement_timestamp()
        ORDER BY c.stored_at DESC LIMIT 1);
END $$;

COMMENT ON FUNCTION db_service.cache_get(bytea) IS 'The value that was stored last under a key; NULL if there is none, or none that has not expired. Writes nothing.';

CREATE FUNCTION db_service.cache_put(key bytea, value bytea, lifetime interval) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    stored timestamptz := pg_catalog.clock_timestamp();
    expires timestamptz := pg_catalog.clock_timestamp() + lifetime;
BEGIN
    CASE (SELECT g.current FROM db_service.cache_generation g)
        WHEN 0 THEN
            INSERT INTO db_service.cache_0 (key, value, stored_at, expires_at)
            VALUES (cache_put.key, cache_put.value, stored, expires)
            ON CONFLICT ON CONSTRAINT cache_0_pkey DO UPDATE
            SET value = excluded.value, stored_at = excluded.stored_at, expires_at = excluded.expires_at;
        WHEN 1 THEN
            INSERT INTO db_service.cache_1 (key, value, stored_at, expires_at)
            VALUES (cache_put.key, cache_put.value, stored, expires)
            ON CONFLICT ON CONSTRAINT cache_1_pkey DO UPDATE
            SET value = excluded.value, stored_at = excluded.stored_at, expires_at = excluded.expires_at;
        ELSE
            INSERT INTO db_service.cache_2 (key, value, stored_at, expires_at)
            VALUES (cache_put.key, cache_put.value, stored, expires)
            ON CONFLICT ON CONSTRAINT cache_2_pkey DO UPDATE
            SET value = excluded.value, stored_at = excluded.stored_at, expires_at = excluded.expires_at;
    END CASE;
END $$;

COMMENT ON FUNCTION db_service.cache_put(bytea, bytea, interval) IS 'Stores a value under a key for so long, or until its generation is emptied. In a transaction of its own: whoever stores the same key waits for it.';

-- A reader keeps its lock until its transaction ends, and whoever asks behind a request for a stronger one waits with it: so
-- it is asked for briefly.
CREATE FUNCTION db_service.cache_rotate() RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' SET lock_timeout = '50ms' AS $$
DECLARE
    oldest integer;
BEGIN
    SELECT (g.current + 1) % 3 INTO oldest FROM db_service.cache_generation g FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    CASE oldest
        WHEN 0 THEN TRUNCATE db_service.cache_0;
        WHEN 1 THEN TRUNCATE db_service.cache_1;
        ELSE TRUNCATE db_service.cache_2;
    END CASE;
    UPDATE db_service.cache_generation SET current = oldest, rotated_at = pg_catalog.clock_timestamp();
    RETURN true;
EXCEPTION
    WHEN lock_not_available THEN
        RETURN false;
END $$;

COMMENT ON FUNCTION db_service.cache_rotate() IS 'Empties the oldest generation and makes it the current one. In a transaction of its own. False: not now, since a transaction is open that has read it, or another session is at it; ask again later.';

CREATE FUNCTION db_service.forget_results() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' SET lock_timeout = '1s' AS $$
BEGIN
    TRUNCATE db_service.cache_0, db_service.cache_1, db_service.cache_2;
END $$;

COMMENT ON FUNCTION db_service.forget_results() IS 'Empties the cache. Fails after a second where a transaction is open that has read it.';

-- They act with the rights of their owner: what was cached for one role is not for whoever may look into this schema.
REVOKE EXECUTE ON FUNCTION db_service.note_changes(), db_service.note_truncation(), db_service.note_everything(),
    db_service.fold_versions(integer), db_service.cache_get(bytea), db_service.cache_put(bytea, bytea, interval),
    db_service.cache_rotate(), db_service.forget_results() FROM PUBLIC;
