//! The two tables that are laid out, filled, and the twins of them that tell whether anything was lost.

use std::sync::OnceLock;

use crate::command;
use crate::database::{Database, Stage};
use crate::role::{self, Role};
use crate::server::TestServer;

/// Rows of `code_files`; a tenth of it are those of `embeddings`. More, for a run by hand: `TEST_ROWS=1000000`.
pub(crate) fn rows() -> u32 {
    static ROWS: OnceLock<u32> = OnceLock::new();
    *ROWS.get_or_init(|| std::env::var("TEST_ROWS").map_or(3000, |rows| rows.parse().expect("TEST_ROWS is a number")))
}

/// Fills both tables, and twins of them that the writers write to as well: by these the outcome is judged.
fn fill(database: &Database<'_>, rows: u32, vectors: u32) {
    // The vector index is built afterwards: row by row it takes many times longer.
    database.execute(&format!(
        "INSERT INTO code_files (repo_name, file_path, id, content, content_hash, size_bytes, inserted_at, updated_at)
         SELECT 'repo' || g % 40, 'file' || g, g, repeat('x', g % 5000), sha256(g::text::bytea), g % 5000, 'epoch', 'epoch'
         FROM generate_series(1, {rows}) g;
         DO $do$
         DECLARE dropped name; definition text;
         BEGIN
             SET LOCAL maintenance_work_mem = '1GB';
             SET LOCAL max_parallel_maintenance_workers = 0;
             SELECT x.relname, pg_get_indexdef(x.oid) INTO STRICT dropped, definition
             FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am m ON m.oid = x.relam AND m.amname = 'hnsw'
             WHERE i.indrelid = 'embeddings'::regclass;
             EXECUTE format('DROP INDEX %I', dropped);
             INSERT INTO embeddings (repo_name, path, id, model, content_hash, embedding, inserted_at)
             SELECT 'repo' || g % 40, 'file' || g, g, 'm', sha256(g::text::bytea),
                    (SELECT array_agg(sin(g * i)) FROM generate_series(1, 768) i)::public.vector, 'epoch'
             FROM generate_series(1, {vectors}) g;
             EXECUTE definition;
         END $do$;
         CREATE SCHEMA twin;
         CREATE TABLE twin.code_files (LIKE code_files INCLUDING ALL);
         CREATE TABLE twin.embeddings (LIKE embeddings INCLUDING DEFAULTS INCLUDING CONSTRAINTS, PRIMARY KEY (repo_name, path));
         INSERT INTO twin.code_files TABLE code_files;
         INSERT INTO twin.embeddings TABLE embeddings;"
    ));
}

/// Both tables against their twins, byte by byte; also while writers are at work, since each statement sees either none or
/// all of what a transaction has done to a table and its twin.
#[track_caller]
pub(crate) fn assert_no_difference(database: &Database<'_>, when: &str) {
    for (table, key) in [("code_files", "repo_name, file_path"), ("embeddings", "repo_name, path")] {
        let difference = format!(
            "SELECT count(*)::text FROM (TABLE public.{table}) a FULL JOIN (TABLE twin.{table}) b USING ({key}) WHERE a.id IS NULL OR b.id IS NULL"
        );
        assert_eq!(database.text(&difference), "0", "rows of {table} missing on one side, {when}");
        let keys: Vec<&str> = key.split(", ").collect();
        let same = format!("a.{0} = b.{0} AND a.{1} = b.{1}", keys[0], keys[1]);
        let difference = format!(
            "SELECT count(*)::text FROM (TABLE public.{table}) a JOIN (TABLE twin.{table}) b ON {same} WHERE a *<> b"
        );
        assert_eq!(database.text(&difference), "0", "rows of {table} with other contents, {when}");
    }
}

/// What [`leaves`] says of both tables in their layout.
pub(crate) const PARTITIONED: &str = "code_files 16, embeddings 16";

pub(crate) fn leaves(database: &Database<'_>) -> String {
    database.text("SELECT coalesce(string_agg(c, ', ' ORDER BY c), '') FROM (SELECT inhparent::regclass::text || ' ' || count(*) AS c FROM pg_inherits JOIN pg_class p ON p.oid = inhparent AND p.relkind = 'p' GROUP BY inhparent) c")
}

/// The tables that Ecto made, with data and twins.
pub(crate) fn plain(server: &TestServer) -> Database<'_> {
    filled(server, rows(), rows() / 10)
}

/// The same, with so many rows of `code_files`, and so many of `embeddings`.
pub(crate) fn filled(server: &TestServer, rows: u32, vectors: u32) -> Database<'_> {
    let database = Database::at(server, Stage::Ecto);
    fill(&database, rows, vectors);
    database
}

/// The same, all of it a plain role's, who runs the layer.
pub(crate) fn plain_of<'a>(server: &'a TestServer, role: &Role<'_>) -> Database<'a> {
    let database = plain(server);
    role::give_all(&database, &role.name);
    database.run_by(role::login(&role.name))
}

/// The same, in leaves.
pub(crate) fn partitioned(server: &TestServer) -> Database<'_> {
    let database = plain(server);
    command::migrations(&database.url_text(), &[]).succeeds();
    database
}
