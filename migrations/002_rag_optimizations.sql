-- Desired layout of the two tables that grow: 16 hash leaves by repository; and the journal of the work that brings it about.
--
-- requires-ecto: 20251005030000, 20251005030001
-- requires-table: public.code_files, public.embeddings
-- lays-out: code_files, embeddings
-- provides: db_service.layout, db_service.layout_leaf, db_service.relayout_job, db_service.relayout_range
--
-- Why: a search inside one repository reads one leaf, and re-indexing a repository touches one leaf.
-- This file only declares; moving rows is the work of `migrations`, which compares this table with what is there.
-- Locks: none on tables of others. Undo: `migrations revert`, then DROP SCHEMA db_service CASCADE.

CREATE TABLE db_service.layout (
    table_name text PRIMARY KEY,
    partition_key text NOT NULL,
    path_key text NOT NULL,
    leaves integer NOT NULL CHECK (leaves BETWEEN 1 AND 1024 AND leaves & (leaves - 1) = 0)
);

COMMENT ON SCHEMA db_service IS 'Performance layer: everything in here can be rebuilt from the tables in public.';
COMMENT ON TABLE db_service.layout IS 'Desired storage of the tables in public that grow; one row a table.';
COMMENT ON COLUMN db_service.layout.partition_key IS 'The column whose hash chooses the leaf.';
COMMENT ON COLUMN db_service.layout.path_key IS 'The column by which a leaf is split that a single partition key fills.';
COMMENT ON COLUMN db_service.layout.leaves IS 'Number of hash leaves, a power of two; 1 is one plain table.';

INSERT INTO db_service.layout (table_name, partition_key, path_key, leaves) VALUES
    ('code_files', 'repo_name', 'file_path', 16),
    ('embeddings', 'repo_name', 'path', 16);

CREATE TABLE db_service.layout_leaf (
    table_name text NOT NULL REFERENCES db_service.layout,
    modulus integer NOT NULL CHECK (modulus BETWEEN 2 AND 4096 AND modulus & (modulus - 1) = 0),
    remainder integer NOT NULL CHECK (remainder BETWEEN 0 AND modulus - 1),
    paths integer NOT NULL DEFAULT 1 CHECK (paths BETWEEN 1 AND 64 AND paths & (paths - 1) = 0),
    PRIMARY KEY (table_name, modulus, remainder)
);

COMMENT ON TABLE db_service.layout_leaf IS 'Desired leaves of a table whose leaves are not of equal share; no row: as many equal ones as db_service.layout says.';
COMMENT ON COLUMN db_service.layout_leaf.paths IS 'Number of parts, by the hash of the path, that the leaf is split into; 1 is one table.';

CREATE DOMAIN db_service.text_posix AS text COLLATE "POSIX";

COMMENT ON DOMAIN db_service.text_posix IS 'A text of another collation than any other: lets a leaf be attached without reading its rows.';

CREATE TABLE db_service.relayout_job (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    table_name text NOT NULL,
    source jsonb NOT NULL,
    target jsonb NOT NULL,
    definition jsonb NOT NULL,
    phase text NOT NULL DEFAULT 'planned' CHECK (phase IN (
        'planned', 'shadow', 'capturing', 'backfilling', 'indexing', 'catching_up',
        'swapped', 'verified', 'cleaned', 'abandoned')),
    started_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE UNIQUE INDEX relayout_job_unfinished ON db_service.relayout_job (table_name)
    WHERE phase NOT IN ('cleaned', 'abandoned');

COMMENT ON TABLE db_service.relayout_job IS 'Journal of moving tables into their desired layout; at most one unfinished row a table.';
COMMENT ON COLUMN db_service.relayout_job.source IS 'The layout that it found.';
COMMENT ON COLUMN db_service.relayout_job.target IS 'The layout that it builds.';
COMMENT ON COLUMN db_service.relayout_job.definition IS 'The table as it was found; compared again before the swap.';

CREATE TABLE db_service.relayout_range (
    job_id bigint REFERENCES db_service.relayout_job ON DELETE CASCADE,
    number integer,
    source text NOT NULL,
    after text[],
    until text[],
    rows_copied bigint NOT NULL DEFAULT 0,
    is_done boolean NOT NULL DEFAULT false,
    PRIMARY KEY (job_id, number)
);

COMMENT ON TABLE db_service.relayout_range IS 'Ranges of primary keys that a job copies side by side: those after one key, until another.';
COMMENT ON COLUMN db_service.relayout_range.source IS 'The table that it is copied from.';
COMMENT ON COLUMN db_service.relayout_range.after IS 'Key of the last row that was copied, or that belongs to the range before.';
COMMENT ON COLUMN db_service.relayout_range.until IS 'Key of its last row; none where it has no end.';
