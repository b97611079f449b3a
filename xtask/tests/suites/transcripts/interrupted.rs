//! Ctrl-C, typed where the program runs: its children and the server that it has started are in the same terminal.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use transcript::replay;

use super::conversion::many_rows;
use super::watched::{Watched, terminals, watch, watch_and_answer};
use crate::Verdict::{self, Passed, Skipped};
use crate::command::{self, migrations_command, project_copy, stand_in_mix, xtask, xtask_command};
use crate::database::{Database, Stage};
use crate::server::{Kind, TestServer, project};
use crate::writers::held_in;

crate::tests![
    ctrl_c_in_any_phase_of_a_conversion,
    ctrl_c_while_rows_are_moved,
    ctrl_c_while_mix_runs_or_is_waited_for,
    ctrl_c_while_a_server_starts
];

const CTRL_C: &[u8] = b"\x03";

/// Who types it once, as soon as something is so.
fn once(mut is_time: impl FnMut(&str) -> bool) -> impl FnMut(&str) -> Option<&'static [u8]> {
    let mut is_typed = false;
    move |screen| {
        let now = !is_typed && is_time(screen);
        is_typed |= now;
        now.then_some(CTRL_C)
    }
}

#[track_caller]
fn says_that_it_was_interrupted(run: Watched) {
    let run = run.exits(130);
    // The terminal itself shows the key.
    let is_said = |line: &String| line.trim_start_matches("^C") == "error: interrupted";
    assert!(run.lines().iter().any(is_said), "\n{}", run.shown());
    assert!(run.lines().iter().any(|line| line.starts_with("hint: ")), "\n{}", run.shown());
}

fn ctrl_c_in_any_phase_of_a_conversion(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::Declared);
    database.execute(
        "INSERT INTO code_files (repo_name, file_path, id, content, content_hash, size_bytes)
         SELECT 'repo' || g % 40, 'file' || g, g, '', sha256(g::text::bytea), 7 FROM generate_series(1, 2000) g",
    );
    let url = database.url_text();
    let phases = ["planned", "shadow", "capturing", "backfilling", "indexing", "catching_up", "swapped", "verified"];
    for (phase, terminal) in phases.into_iter().zip(terminals().cycle()) {
        held_in(&database, phase, true, |seen| {
            let is_there = |_: &str| database.truth(seen);
            let run = watch_and_answer(migrations_command(&url, &["--yes"]), terminal, once(is_there));
            says_that_it_was_interrupted(run);
        });
    }
    command::migrations(&url, &["--yes"]).succeeds();
    Passed
}

fn ctrl_c_while_rows_are_moved(server: &TestServer) -> Verdict {
    let database = many_rows(server);
    let url = database.url_text();
    // Another layout each time: what the run before has begun is given up.
    for (terminal, leaves) in terminals().step_by(2).zip(["16", "4", "16"]) {
        let arguments = ["layout", "--table", "code_files", "--leaves", leaves, "--yes"];
        let is_shown = |screen: &str| screen.contains(replay::is_drawn);
        says_that_it_was_interrupted(watch_and_answer(migrations_command(&url, &arguments), terminal, once(is_shown)));
    }
    Passed
}

fn ctrl_c_while_mix_runs_or_is_waited_for(server: &TestServer) -> Verdict {
    for terminal in terminals().step_by(2) {
        let database = Database::absent(server);
        let folder = tempfile::tempdir().unwrap();
        let is_begun = folder.path().join("begun");
        let bin = stand_in_mix(folder.path(), &format!("touch '{}'; echo one; sleep 60", is_begun.display()));
        let url = database.url_text();
        let start = || {
            let arguments = ["db-setup", "--layers", "bootstrap,ecto", "--ecto", "migrate", "--database-url", &url];
            let mut command = xtask_command(project(), &arguments);
            command.env("PATH", command::path_with(&bin));
            command
        };
        let is_tried = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let holder = || watch_and_answer(start(), terminal, once(|_| is_tried.load(Ordering::Relaxed)));
            let holder = scope.spawn(holder);
            while !is_begun.exists() {
                std::thread::sleep(Duration::from_millis(10));
            }
            // The lock is held: another one shows that it waits.
            let waiter = watch_and_answer(start(), terminal, once(|screen| screen.contains(replay::is_drawn)));
            is_tried.store(true, Ordering::Relaxed);
            says_that_it_was_interrupted(waiter);
            says_that_it_was_interrupted(holder.join().unwrap());
        });
        xtask(&["db-setup", "--ecto", "load", "--database-url", &url]).succeeds();
    }
    Passed
}

fn ctrl_c_while_a_server_starts(server: &TestServer) -> Verdict {
    if server.kind != Kind::Embedded {
        return Skipped("starts a server of its own, the same one on every server".to_owned());
    }
    let folder = tempfile::tempdir().unwrap();
    let copy = project_copy(folder.path());
    let terminal = terminals().next().unwrap();
    let setup = || xtask_command(&copy, &["db-setup", "--server", "embedded", "--ecto", "load"]);
    let data = copy.join(".dev-db");
    says_that_it_was_interrupted(watch_and_answer(setup(), terminal, once(|_| data.exists())));
    says_that_it_was_interrupted(watch_and_answer(setup(), terminal, once(|screen| screen.contains("database"))));
    watch(setup(), terminal).exits(0);
    watch(xtask_command(&copy, &["db-server", "stop"]), terminal).exits(0);
    Passed
}
