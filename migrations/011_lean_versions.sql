-- Versions for two thirds of the price: what a statement of one row pays for its mark.
--
-- requires-ecto: 20251005030000, 20251005030001
-- requires-table: public.code_files, public.embeddings
-- provides: db_service.note_changes()
--
-- Why: a statement of one row took 90 µs longer with versions than without. A third of that went to two CHECK constraints, whose
-- expressions the server reads anew for every statement, and a part to a second statement in the trigger. Only functions of
-- this schema write marks.
-- Used by: the triggers of 004_enable_pg_cache, as before.
-- Locks: ACCESS EXCLUSIVE on db_service.repository_version, for a moment; writers of code_files and embeddings that are under way
-- are waited for a tenth of a second at a time, and others in between. Undo: put the constraints and the function of
-- 004_enable_pg_cache back.

-- squawk-ignore-file ban-drop-constraint

-- Whoever writes holds a lock on the marks until it commits, and whoever asks behind a request for a stronger one waits with it:
-- so it is asked for briefly, and often.
DO $$
DECLARE
    patience text := pg_catalog.current_setting('lock_timeout');
BEGIN
    PERFORM pg_catalog.set_config('lock_timeout', '100ms', true);
    FOR attempt IN 1..120 LOOP
        BEGIN
            ALTER TABLE db_service.repository_version
                DROP CONSTRAINT repository_version_concerns_check, DROP CONSTRAINT repository_version_check;
            EXIT;
        EXCEPTION WHEN lock_not_available THEN
            IF attempt = 120 THEN
                RAISE EXCEPTION 'a transaction that has written to code_files or embeddings was open for a minute'
                    USING ERRCODE = 'lock_not_available', HINT = 'run it again when that has ended';
            END IF;
            PERFORM pg_catalog.pg_sleep(0.4);
        END;
    END LOOP;
    PERFORM pg_catalog.set_config('lock_timeout', patience, true);
END $$;

COMMENT ON COLUMN db_service.repository_version.concerns IS 'one: of one repository. every: of each repository, as after TRUNCATE. all: of all repositories together. Nothing else.';

CREATE OR REPLACE FUNCTION db_service.note_changes() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    -- Hashed from what nobody can seed or foresee, which is drawn once for a statement: two equal marks would take each other away.
    -- For each event by itself, since a statement sees only the rows that its trigger names. Without rows the group of all has
    -- none, and there is no mark.
    CASE TG_OP
        WHEN 'INSERT' THEN
            INSERT INTO db_service.repository_version (concerns, repo_name, mark)
            SELECT CASE GROUPING(r.repo_name) WHEN 0 THEN 'one' ELSE 'all' END,
                   COALESCE(r.repo_name, ''),
                   pg_catalog.hashtextextended(COALESCE(r.repo_name, ''), (
                       SELECT pg_catalog.uuid_hash_extended(pg_catalog.gen_random_uuid(), 0)))
            FROM new_rows r
            GROUP BY GROUPING SETS ((r.repo_name), ()) HAVING pg_catalog.count(*) > 0;
        WHEN 'DELETE' THEN
            INSERT INTO db_service.repository_version (concerns, repo_name, mark)
            SELECT CASE GROUPING(r.repo_name) WHEN 0 THEN 'one' ELSE 'all' END,
                   COALESCE(r.repo_name, ''),
                   pg_catalog.hashtextextended(COALESCE(r.repo_name, ''), (
                       SELECT pg_catalog.uuid_hash_extended(pg_catalog.gen_random_uuid(), 0)))
            FROM old_rows r
            GROUP BY GROUPING SETS ((r.repo_name), ()) HAVING pg_catalog.count(*) > 0;
        ELSE
            INSERT INTO db_service.repository_version (concerns, repo_name, mark)
            SELECT CASE GROUPING(r.repo_name) WHEN 0 THEN 'one' ELSE 'all' END,
                   COALESCE(r.repo_name, ''),
                   pg_catalog.hashtextextended(COALESCE(r.repo_name, ''), (
                       SELECT pg_catalog.uuid_hash_extended(pg_catalog.gen_random_uuid(), 0)))
            FROM (SELECT n.repo_name FROM new_rows n UNION ALL SELECT o.repo_name FROM old_rows o) r
            GROUP BY GROUPING SETS ((r.repo_name), ()) HAVING pg_catalog.count(*) > 0;
    END CASE;
    RETURN NULL;
END $$;
