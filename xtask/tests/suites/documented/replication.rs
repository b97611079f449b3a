//! "Logical replication" in the operations guide: its command lines, from a publisher in leaves to both kinds of subscriber.

use std::fs;

use super::table;
use crate::Verdict::{self, Passed, Skipped};
use crate::command::run;
use crate::database::{Database, Stage};
use crate::server::{self, Kind, TestServer, conninfo, project};

/// Of the publisher.
const CAN_PUBLISH: &str = "wal_level = logical\nfsync = off\n";

crate::tests![both_sides_may_have_any_layout];

fn both_sides_may_have_any_layout(server: &TestServer) -> Verdict {
    if server.kind == Kind::Container {
        return Skipped("a container cannot reach the publisher, a server of this machine".to_owned());
    }
    let publisher = match server::another(CAN_PUBLISH) {
        Ok(publisher) => publisher,
        Err(why) => return Skipped(format!("needs a server of its own as the publisher: {why}")),
    };
    let page = fs::read_to_string(project().join("docs/operations.md")).unwrap();
    let rows = table::rows(&page, "### Logical replication");
    let [publish, subscribe] = [1, 2].map(|cell| table::code_spans(&rows[0][cell]));
    assert_eq!(rows.len(), 1, "each row is tried");
    for stage in [Stage::Ecto, Stage::All] {
        let (source, copy) = (Database::at(&publisher, Stage::All), Database::at(server, stage));
        source.execute(&write(1));
        run(publisher.shell(&source.url, &[], &publish)).succeeds();
        run(server.shell(&copy.url, &[("SOURCE", &conninfo(&source.url))], &subscribe)).succeeds();
        source.execute(&write(2));
        source.execute("UPDATE code_files SET size_bytes = 9 WHERE file_path = 'file1'; DELETE FROM code_files WHERE file_path = 'file2'");
        let rows = "SELECT string_agg(c::text, ' ' ORDER BY repo_name, file_path) FROM code_files c";
        let seen = source.text(rows);
        copy.wait(&format!("SELECT ({rows}) IS NOT DISTINCT FROM '{seen}'"));
        // Without it, neither side lets its database go.
        copy.execute("DROP SUBSCRIPTION singularity");
    }
    Passed
}

fn write(batch: u32) -> String {
    format!(
        "INSERT INTO code_files (repo_name, file_path, content, content_hash, size_bytes)
         SELECT 'repo' || g, 'file' || g, '', sha256('x'), {batch} FROM generate_series({batch}00, {batch}40) g;
         INSERT INTO code_files (repo_name, file_path, content, content_hash, size_bytes)
         SELECT 'repo', 'file{batch}', '', sha256('x'), {batch}"
    )
}
