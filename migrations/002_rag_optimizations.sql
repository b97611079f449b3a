-- Desired layout of the two tables that grow: 16 hash leaves by repository; and the journal of the work that brings it about.
--
-- requires-ecto: 20251005030000, 20251005030001
-- requires-table: public.code_files, public.embeddings
-- lays-out: code_files, embeddings
-- provides: db_service.layout, db_service.relayout_job
--
-- Why: a search inside one repository reads one leaf, and re-indexing a repository touches one leaf.
-- This file only declares; moving rows is the work of `migrations`, which compares this table with what is there.
-- Locks: none on tables of others. Undo: `migrations revert`, then DROP SCHEMA db_service CASCADE.

CREATE TABLE db_service.layout (
    table_name text PRIMARY KEY,
    partition_key text NOT NULL,
    leaves integer NOT NULL CHECK (leaves BETWEEN 1 AND 1024 AND leaves & (leaves - 1) = 0)
);

COMMENT ON SCHEMA db_service IS 'Performance layer: everything in here can be rebuilt from the tables in public.';
COMMENT ON TABLE db_service.layout IS 'Desired storage of the tables in public that grow; one row a table.';
COMMENT ON COLUMN db_service.layout.partition_key IS 'The column whose hash chooses the leaf.';
COMMENT ON COLUMN db_service.layout.leaves IS 'Number of hash leaves, a power of two; 1 is one plain table.';

INSERT INTO db_service.layout (table_name, partition_key, leaves) VALUES
    ('code_files', 'repo_name', 16),
    ('embeddings', 'repo_name', 16);

CREATE TABLE db_service.relayout_job (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    table_name text NOT NULL,
    target jsonb NOT NULL,
    definition jsonb NOT NULL,
    phase text NOT NULL DEFAULT 'planned' CHECK (phase IN (
        'planned', 'shadow', 'capturing', 'backfilling', 'indexing', 'catching_up',
        'swapped', 'verified', 'cleaned', 'abandoned')),
    checkpoint text[],
    rows_copied bigint NOT NULL DEFAULT 0,
    started_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE UNIQUE INDEX relayout_job_unfinished ON db_service.relayout_job (table_name)
    WHERE phase NOT IN ('cleaned', 'abandoned');

COMMENT ON TABLE db_service.relayout_job IS 'Journal of moving tables into their desired layout; at most one unfinished row a table.';
COMMENT ON COLUMN db_service.relayout_job.target IS 'The layout that it builds.';
COMMENT ON COLUMN db_service.relayout_job.definition IS 'The table as it was found; compared again before the swap.';
COMMENT ON COLUMN db_service.relayout_job.checkpoint IS 'Key of the last row that the backfill has copied.';
