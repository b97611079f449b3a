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
        ("… vectors have no code", |server| {
            searched(
                server,
                "DELETE FROM db_service.embedding_codes WHERE path = 'src/file1';
                 UPDATE db_service.embedding_codes SET path = 'surplus' WHERE path = 'src/file3';
                 UPDATE db_service.embedding_codes SET model = 'another' WHERE path = 'src/file5'",
            )
        }),
        ("… found only … of the nearest", |server| {
            // A graph with so few edges leads nowhere.
            searched(
                server,
                "DROP INDEX db_service.embedding_codes_halfvec;
                 CREATE INDEX embedding_codes_halfvec ON db_service.embedding_codes USING hnsw (half public.halfvec_cosine_ops)
                 WITH (m = 2, ef_construction = 4);
                 UPDATE db_service.search_setting SET ef_search = 1, more = 0 WHERE way = 'halfvec'",
            )
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

fn searched(server: &TestServer, damage: &str) -> Result<String, String> {
    let database = Database::at(server, Stage::Searchable);
    database.execute(damage);
    refused(&migrations(&database.url_text(), &["verify"]))
}

fn verified(server: &TestServer, damage: impl Fn(&Database<'_>)) -> Result<String, String> {
    let database = Database::at(server, Stage::All);
    damage(&database);
    refused(&migrations(&database.url_text(), &["verify"]))
}
