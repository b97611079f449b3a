-- Desired layout of the two tables that grow: 16 hash leaves by repository.
--
-- requires-ecto: 20251005030000, 20251005030001
-- requires-table: public.code_files, public.embeddings
-- provides: db_service.layout
--
-- Why: a search inside one repository reads one leaf, and re-indexing a repository touches one leaf.
-- This file only declares; moving rows is the work of `migrations`, which compares this table with what is there.
-- Locks: none on tables of others. Undo: DROP SCHEMA db_service CASCADE.

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
