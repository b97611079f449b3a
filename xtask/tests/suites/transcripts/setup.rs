//! `db-setup` for the first time, for the second, and as a dry run.

use super::watched::{Watched, terminals, watch};
use crate::Verdict::{self, Passed, Skipped};
use crate::command::{project_copy, xtask_command};
use crate::database::Database;
use crate::server::{Kind, TestServer, project};

crate::tests![a_first_run_reads_well, three_databases_read_well, a_first_run_with_its_server_reads_well];

fn a_first_run_reads_well(server: &TestServer) -> Verdict {
    for terminal in terminals() {
        let database = Database::absent(server);
        let url = database.url_text();
        let run = |more: &[&str]| {
            let arguments = [&["db-setup", "--ecto", "load", "--database-url", &url], more].concat();
            watch(xtask_command(project(), &arguments), terminal)
        };
        let runs = [
            ("dry_run", run(&["--dry-run"]).exits(3).paints_as_asked()),
            ("first_run", run(&[]).exits(0).paints_as_asked()),
            ("second_run", run(&[]).exits(0).paints_as_asked()),
        ];
        // What there is to tell of extensions differs from server to server.
        if server.kind == Kind::Embedded && terminal.columns.get() == 120 {
            for (name, run) in &runs {
                assert_reads(name, run, &database.name);
            }
        }
    }
    Passed
}

fn assert_reads(name: &str, run: &Watched, database: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(database, "<database>");
    settings.add_filter(r"\d+(\.\d+)? (ms|s)\b", "<time>");
    settings.add_filter(r"\b\d+\.\d+(\.\d+)*\b", "<version>");
    settings.add_filter(r":\d{4,5}\b|\bport \d{4,5}\b", "<port>");
    settings.bind(|| insta::allow_duplicates! { insta::assert_snapshot!(name, run.lines().join("\n")) });
}

fn three_databases_read_well(server: &TestServer) -> Verdict {
    for terminal in terminals().filter(|terminal| terminal.columns.get() == 60) {
        let _names = server.fixed_names();
        let url = server.url.for_libpq();
        for _ in ["first", "second"] {
            let arguments = ["db-setup", "--ecto", "load", "--database-url", &url];
            watch(xtask_command(project(), &arguments), terminal).exits(0).paints_as_asked();
        }
    }
    Passed
}

fn a_first_run_with_its_server_reads_well(server: &TestServer) -> Verdict {
    if server.kind != Kind::Embedded {
        return Skipped("starts a server of its own, the same one on every server".to_owned());
    }
    let folder = tempfile::tempdir().unwrap();
    let copy = project_copy(folder.path());
    for (terminal, command) in terminals().zip(["db-setup", "db-setup", "stop"]) {
        let arguments: &[&str] = match command {
            "stop" => &["db-server", "stop"],
            _ => &["db-setup", "--server", "embedded", "--ecto", "load"],
        };
        watch(xtask_command(&copy, arguments), terminal).exits(0);
    }
    Passed
}
