-- What `migrations maintain` remembers between its runs.
--
-- requires-ecto: 20251005030001
-- requires-table: public.embeddings
-- uses-extension: pg_prewarm
-- provides: db_service.index_use, db_service.warmed
--
-- Why: after a restart the server's memory is empty, and after a crash its counters are, too; which indexes were used is to be
-- known then.
-- Who uses it: `migrations maintain` alone. Without the extension `pg_prewarm` nothing is read into memory, and it says so.
-- Locks: none on tables of others. Undo: drop both tables.

CREATE TABLE db_service.index_use (
    index_name text PRIMARY KEY,
    blocks bigint NOT NULL CHECK (blocks >= 0),
    noted_at timestamptz NOT NULL
);

COMMENT ON TABLE db_service.index_use IS 'How much each index was used, as the server''s counters said when `migrations maintain` ran last; they are lost in a crash.';
COMMENT ON COLUMN db_service.index_use.index_name IS 'With its schema, quoted where it has to be.';
COMMENT ON COLUMN db_service.index_use.blocks IS 'Blocks that were read of it, from memory or from disk.';

CREATE TABLE db_service.warmed (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    started_at timestamptz NOT NULL
);

COMMENT ON TABLE db_service.warmed IS 'One row: when the server was started whose memory `migrations maintain` has filled; another start, and it is due again.';
