//! Many rows moved from one layout to another.

use super::watched::{terminals, watch};
use crate::Verdict::{self, Passed};
use crate::command::migrations_command;
use crate::database::{Database, Stage};
use crate::server::TestServer;

crate::tests![a_conversion_is_followed];

/// So many that it takes seconds.
const ROWS: &str = "
    INSERT INTO code_files (repo_name, file_path, id, content, content_hash, size_bytes)
    SELECT 'repo' || g % 40, 'file' || g, g, '', sha256(g::text::bytea), 7 FROM generate_series(1, 200000) g";

pub(super) fn many_rows(server: &TestServer) -> Database<'_> {
    let database = Database::at(server, Stage::Declared);
    database.execute(ROWS);
    database
}

fn a_conversion_is_followed(server: &TestServer) -> Verdict {
    let database = many_rows(server);
    let url = database.url_text();
    for (terminal, leaves) in terminals().zip(["16", "1"].into_iter().cycle()) {
        let arguments = ["layout", "--table", "code_files", "--leaves", leaves, "--yes"];
        let run = watch(migrations_command(&url, &arguments), terminal).exits(0).paints_as_asked();
        assert!(run.has_moved(), "nothing told how far it was\n{}", run.shown());
    }
    Passed
}
