//! Dumps that are restored on another server, from PostgreSQL 17 to 18 where the one of the test is a container.

use std::io::{Seek, Write};

use super::{Backup, FILES, VECTORS, fill, same, settled, without_timescaledb};
use crate::Verdict::{self, Passed, Skipped};
use crate::command::{Run, migrations};
use crate::database::{Database, Stage};
use crate::server::{self, TestServer, conninfo};
use crate::twins::leaves;
use crate::writers::killed_in;

crate::tests![a_dump_goes_to_another_server, a_dump_from_the_middle_of_a_job_is_finished_there];

fn a_dump_goes_to_another_server(server: &TestServer) -> Verdict {
    beside(server, |other| {
        let backup = Backup::of(server, "everything");
        let (source, copy) = (backup.source(), Database::empty(other));
        restored(&backup, other, &source, &copy);
        same(&source, &copy, &[FILES, VECTORS]);
        settled(&copy);
    })
}

/// Before the swap, and after it, while transactions that are older may not write: there all may be, as its numbers go.
fn a_dump_from_the_middle_of_a_job_is_finished_there(server: &TestServer) -> Verdict {
    beside(server, |other| {
        let backup = Backup::of(server, "everything");
        for phase in ["backfilling", "swapped"] {
            let (source, copy) = (Database::at(server, Stage::Declared), Database::empty(other));
            without_timescaledb(&source);
            fill(&source);
            let age = "DO $$ BEGIN FOR i IN 1..20000 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$";
            source.execute(age);
            killed_in(&source, &[], phase, true);
            restored(&backup, other, &source, &copy);
            same(&source, &copy, &[FILES, VECTORS]);
            let write = "UPDATE code_files SET size_bytes = 8";
            if phase == "swapped" {
                assert!(copy.error(write).contains("could not serialize access"));
            }
            migrations(&copy.url_text(), &[]).succeeds();
            same(&source, &copy, &[FILES, VECTORS]);
            assert_eq!(leaves(&copy), "code_files 16", "{phase}");
            copy.execute(write);
            migrations(&copy.url_text(), &["verify"]).succeeds();
        }
    })
}

fn beside(server: &TestServer, attempt: impl FnOnce(&TestServer)) -> Verdict {
    match server::another("fsync = off\n") {
        Ok(other) => {
            eprintln!("from {} to {}", server.description(), other.description());
            attempt(&other);
            Passed
        }
        Err(why) => Skipped(format!("needs a second server: {why}")),
    }
}

/// The lines of the page, each by its server's own programs, but for `createdb`, which would make the copy beside the
/// source.
fn restored(backup: &Backup<'_>, other: &TestServer, source: &Database<'_>, copy: &Database<'_>) {
    let hand_over = [&backup.dump[..], &["cat all.dump".to_owned()]].concat();
    let dump = backup.server.shell(&source.url, &[], &hand_over).output().unwrap();
    assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&dump.stdout).unwrap();
    file.rewind().unwrap();
    let restore = backup.restore.iter().filter(|line| !line.starts_with("createdb")).cloned();
    let lines: Vec<String> = std::iter::once("cat > all.dump".to_owned()).chain(restore).collect();
    let mut command = other.shell(&copy.url, &[("COPY", &conninfo(&copy.url))], &lines);
    command.stdin(file);
    Run::of(&command.output().unwrap()).succeeds();
}
