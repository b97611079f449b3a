//! What somebody did to a table in leaves, as `migrations verify` names it.

use super::{Messages, refused};
use crate::command::migrations;
use crate::damaged::half_detach;
use crate::database::{Database, Stage};
use crate::server::TestServer;
use crate::writers::killed_in;

pub(super) const MESSAGES: Messages = Messages {
    page: "docs/operations.md",
    heading: "### What was done by hand",
    rows: &[
        ("… is gone or detached", |server| {
            verified(server, |database| {
                database.execute("ALTER TABLE code_files DETACH PARTITION leaf_16_3.code_files");
            })
        }),
        ("… is half detached", |server| verified(server, |database| half_detach(database, "leaf_16_3"))),
        ("… is not one of ours, or lacks a part", |server| {
            verified(server, |database| {
                database.execute(
                    "ALTER TABLE code_files DETACH PARTITION leaf_16_3.code_files;
                     CREATE TABLE mine PARTITION OF code_files FOR VALUES WITH (MODULUS 16, REMAINDER 3)",
                );
            })
        }),
        ("index … is invalid", |server| {
            verified(server, |database| {
                database.error("CREATE UNIQUE INDEX CONCURRENTLY broken ON schema_migrations ((1))");
            })
        }),
        ("… belongs to no job and no layout", |server| {
            verified(server, |database| {
                database.execute("CREATE SCHEMA db_service_old; CREATE TABLE db_service_old.code_files ()");
            })
        }),
        ("… rows differ between its old and its new layout", |server| {
            let database = Database::at(server, Stage::All);
            database.execute(
                "INSERT INTO code_files (repo_name, file_path, content, content_hash, size_bytes) VALUES ('r', 'f', '', sha256('x'), 0);
                 UPDATE db_service.layout SET leaves = 1",
            );
            killed_in(&database, &["--yes"], "swapped", true);
            // By hand, so that no trigger logs it.
            database.execute("SET session_replication_role = replica; ALTER TABLE code_files DISABLE TRIGGER ALL; DELETE FROM code_files");
            refused(&migrations(&database.url_text(), &["verify"]))
        }),
    ],
};

fn verified(server: &TestServer, damage: impl Fn(&Database<'_>)) -> Result<String, String> {
    let database = Database::at(server, Stage::All);
    damage(&database);
    refused(&migrations(&database.url_text(), &["verify"]))
}
