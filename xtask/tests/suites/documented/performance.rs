//! The performance layer.

use std::fs;
use std::path::Path;

use sqlx::Connection as _;

use super::{Messages, refused};
use crate::command::{self, migrations, project_copy, xtask_command};
use crate::database::{Database, Stage};
use crate::server::TestServer;
use crate::writers::killed_in;

pub(super) const MESSAGES: Messages = Messages {
    page: "README.md",
    heading: "### Performance layer",
    rows: &[
        ("… Ecto migration(s) are pending, first …", |server| {
            refused(&migrations(&Database::empty(server).url_text(), &[]))
        }),
        ("migration `…` was edited after it was applied", |server| {
            with_files(server, |folder| {
                let path = folder.join("002_rag_optimizations.sql");
                fs::write(&path, fs::read_to_string(&path).unwrap() + "\n-- afterthought\n").unwrap();
            })
        }),
        ("file `…` is not named `<version>_<name>.sql`", |server| {
            with_files(server, |folder| fs::write(folder.join("more_003.sql"), "").unwrap())
        }),
        ("the ledger … holds version …, for which there is no file", |server| {
            after(
                server,
                "INSERT INTO db_service._sqlx_migrations SELECT 900, 'x', now(), true, checksum, 1 FROM db_service._sqlx_migrations LIMIT 1",
            )
        }),
        ("is recorded as applied, yet … does not exist", |server| {
            after(server, "DROP TABLE db_service.layout CASCADE")
        }),
        ("requires the table `…`, which does not exist", |server| {
            let database = Database::at(server, Stage::Ecto);
            database.execute("DROP TABLE embeddings");
            refused(&migrations(&database.url_text(), &[]))
        }),
        ("cannot change the layout of table `…`", |server| {
            let database = Database::at(server, Stage::Ecto);
            database.execute("CREATE UNIQUE INDEX lonely ON code_files (id)");
            refused(&migrations(&database.url_text(), &[]))
        }),
        ("warning: table `…`: … a new clone of this schema would be refused", |server| {
            let database = Database::at(server, Stage::All);
            database.execute("CREATE MATERIALIZED VIEW summary AS SELECT count(*) FROM code_files");
            Ok(migrations(&database.url_text(), &["plan"]).succeeds().stderr)
        }),
        ("does not have the performance layer", |server| {
            refused(&migrations(&Database::at(server, Stage::Ecto).url_text(), &["verify"]))
        }),
        ("cannot truncate … while its layout is being changed", |server| {
            let database = Database::at(server, Stage::All);
            database.execute("UPDATE db_service.layout SET leaves = 1");
            killed_in(&database, &["--yes"], "backfilling", true);
            Ok(database.error("TRUNCATE code_files"))
        }),
        ("the layout of the table has changed since this transaction began", |server| {
            let database = Database::at(server, Stage::Ecto);
            database.with(async |connection| {
                let mut old = connection.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ").await.unwrap();
                sqlx::raw_sql("SELECT 1").execute(&mut *old).await.unwrap();
                migrations(&database.url_text(), &["--patience", "0"]).succeeds();
                let write = sqlx::raw_sql("DELETE FROM code_files").execute(&mut *old).await;
                Ok(write.unwrap_err().to_string())
            })
        }),
        ("copying the rows of whole leaves or tables was not agreed to", |server| {
            refused(&migrations(&Database::at(server, Stage::All).url_text(), &["revert"]))
        }),
        ("index `…` is invalid", |server| {
            let database = Database::at(server, Stage::All);
            database.error("CREATE UNIQUE INDEX CONCURRENTLY broken ON schema_migrations ((1))");
            refused(&migrations(&database.url_text(), &[]))
        }),
        ("index `…` is not on all leaves", |server| {
            after(server, "CREATE INDEX half ON ONLY code_files (size_bytes)")
        }),
    ],
};

/// What is said to a database in which this was done.
fn after(server: &TestServer, statement: &str) -> Result<String, String> {
    let database = Database::at(server, Stage::All);
    database.execute(statement);
    refused(&migrations(&database.url_text(), &[]))
}

/// What is said of files that were changed after they were applied.
fn with_files(server: &TestServer, change: impl Fn(&Path)) -> Result<String, String> {
    let database = Database::at(server, Stage::All);
    let folder = tempfile::tempdir().unwrap();
    let copy = project_copy(folder.path());
    change(&copy.join("migrations"));
    refused(&command::run(xtask_command(&copy, &["db-setup", "--database-url", &database.url_text()])))
}
