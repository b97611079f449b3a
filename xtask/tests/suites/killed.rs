//! SIGKILL and Ctrl-C at every step and in between: the next run finishes the work, and the schema is that of an
//! undisturbed run.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::time::Duration;

use crate::Verdict::{self, Passed, Skipped};
use crate::command::{self, Run, project_copy, xtask, xtask_command};
use crate::database::{Database, Stage};
use crate::relay::{self, End, Moment};
use crate::server::{Kind, TestServer, project};

crate::tests![
    a_kill_after_any_step_is_mended_by_the_next_run,
    ctrl_c_after_any_step_says_so_and_is_mended_by_the_next_run,
    ctrl_c_while_the_server_starts_says_so,
    a_kill_at_any_request_is_mended_by_the_next_run,
];

fn start(database: &Database<'_>) -> Child {
    let mut command = xtask_command(project(), &["db-setup", "--ecto", "load", "--database-url", &database.url_text()]);
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

fn assert_the_next_run_finishes(database: &Database<'_>, undisturbed: &str, when: &str) {
    xtask(&["db-setup", "--ecto", "load", "--database-url", &database.url_text()]).succeeds();
    assert_eq!(database.dump(), undisturbed, "ended {when}");
    let settings = "SELECT unnest(setconfig) FROM pg_db_role_setting WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY 1";
    assert_eq!(database.column(settings), ["TimeZone=Etc/UTC", "singularity.environment=prod"], "ended {when}");
    let again = xtask(&["db-setup", "--json", "--database-url", &database.url_text()]).succeeds().json();
    assert_eq!(again["outcome"], "unchanged", "ended {when}");
}

fn a_kill_after_any_step_is_mended_by_the_next_run(server: &TestServer) -> Verdict {
    after_every_line(server, "KILL", |mut child| {
        child.wait().unwrap();
    });
    Passed
}

fn ctrl_c_after_any_step_says_so_and_is_mended_by_the_next_run(server: &TestServer) -> Verdict {
    after_every_line(server, "INT", |child| {
        // The last line is out when the work is done: then there is nothing to interrupt.
        let status = child.wait_with_output().unwrap().status;
        assert!(matches!(status.code(), Some(0 | 130)), "{status}");
    });
    Passed
}

fn ctrl_c_while_the_server_starts_says_so(server: &TestServer) -> Verdict {
    if server.kind != Kind::Embedded {
        return Skipped("starts a server of its own, the same one on every server".to_owned());
    }
    let folder = tempfile::tempdir().unwrap();
    let copy = project_copy(folder.path());
    let start = |arguments: &[&str]| {
        let mut command = xtask_command(&copy, &[&["db-server"], arguments].concat());
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let child = start(&["start", "--server", "embedded"]);
    while !copy.join(".dev-db").exists() {
        std::thread::sleep(Duration::from_millis(1));
    }
    command::signal(&child, "INT");
    Run::of(&child.wait_with_output().unwrap()).exits(130).says("error: interrupted").says("hint: nothing is lost");
    Run::of(&start(&["start", "--server", "embedded"]).wait_with_output().unwrap()).succeeds();
    Run::of(&start(&["stop"]).wait_with_output().unwrap()).succeeds();
    Passed
}

/// Signals each run as soon as it has done a step of its own: that step is done, the next has begun. The run after it goes on
/// from there, so that all steps are ended one after the other.
fn after_every_line(server: &TestServer, signal: &str, ended: impl Fn(Child)) {
    let undisturbed = Database::at(server, Stage::All).dump();
    let database = Database::absent(server);
    let is_progress = |line: &String| DONE.iter().any(|word| line.starts_with(word));
    for runs in 1.. {
        let mut child = start(&database);
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let step = lines.by_ref().find(is_progress);
        command::signal(&child, signal);
        let rest: Vec<_> = lines.collect();
        ended(child);
        if let Some(error) = rest.iter().find(|line| line.starts_with("error")) {
            assert_eq!(error, "error: interrupted", "signalled after {step:?}");
        }
        if step.is_none() {
            assert!(runs > 8, "a run has more steps than {runs}");
            break;
        }
    }
    assert_the_next_run_finishes(&database, &undisturbed, "after each of its steps");
}

/// What lines begin with that tell of a step that was done.
const DONE: [&str; 5] = ["Created ", "Set ", "Loaded ", "Applied ", "Converted "];

/// The runs after a kill go on from where it was, and are killed in their turn, a little further on or before they have come as
/// far; what was finished is begun anew.
fn a_kill_at_any_request_is_mended_by_the_next_run(server: &TestServer) -> Verdict {
    let undisturbed_database = Database::at(server, Stage::All);
    let undisturbed = undisturbed_database.dump();
    let run = |database: &Database<'_>, moment| {
        relay::run(&database.url, moment, |url| {
            xtask_command(project(), &["db-setup", "--ecto", "load", "--database-url", url])
        })
    };
    let End::Finished(requests) = run(&Database::absent(server), Moment::Never) else { unreachable!() };
    assert!(requests > 100, "a run makes {requests} requests");
    let End::Finished(looking) = run(&undisturbed_database, Moment::Never) else { unreachable!() };
    let mut database = Database::absent(server);
    let mut kills = 0;
    // 11 shares no factor with 48: of twice the requests that it takes to look at everything, every one of 48 has its turn.
    for request in (0..48).map(|turn| 1 + 2 * looking * (turn * 11 % 48) / 48) {
        if run(&database, Moment::Request(request)) == End::Killed {
            kills += 1;
        } else {
            assert_the_next_run_finishes(&database, &undisturbed, "at any request");
            database = Database::absent(server);
        }
    }
    assert!(kills > 30, "{kills} kills only");
    assert_the_next_run_finishes(&database, &undisturbed, "at any request");
    Passed
}
