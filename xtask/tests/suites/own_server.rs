//! The development server of a project, from the command line.

use std::path::PathBuf;

use crate::Verdict::{self, Passed, Skipped};
use crate::command::{self, Run, project_copy, xtask_command};
use crate::server::{Kind, TestServer};

crate::tests![
    a_new_server_is_set_up_without_an_error_in_its_log,
    a_reset_drops_one_database_and_a_set_up_makes_it_anew,
    a_cleaned_cache_keeps_what_a_server_runs_from,
];

/// A project whose own server does not outlive the test.
struct OwnServer {
    _folder: tempfile::TempDir,
    project: PathBuf,
}

impl OwnServer {
    /// These tests start a server of their own, the same one on every server.
    fn new(server: &TestServer) -> Result<Self, Verdict> {
        if server.kind != Kind::Embedded {
            return Err(Skipped("starts a server of its own, the same one on every server".to_owned()));
        }
        let folder = tempfile::tempdir().unwrap();
        let project = project_copy(folder.path());
        Ok(Self { _folder: folder, project })
    }

    fn run(&self, arguments: &[&str]) -> Run {
        command::run(xtask_command(&self.project, arguments))
    }

    fn set_up(&self) -> Run {
        self.run(&["db-setup", "--server", "embedded", "--ecto", "load"])
    }

    fn state(&self) -> PathBuf {
        self.project.join(".dev-db")
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        drop(dev_server::stop(&self.project));
    }
}

fn a_new_server_is_set_up_without_an_error_in_its_log(server: &TestServer) -> Verdict {
    let own = match OwnServer::new(server) {
        Ok(own) => own,
        Err(skipped) => return skipped,
    };
    own.set_up().succeeds();
    let log = std::fs::read_to_string(own.state().join("log")).unwrap();
    let wrong: Vec<&str> = log.lines().filter(|line| line.contains("FATAL") || line.contains("ERROR")).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    Passed
}

fn a_reset_drops_one_database_and_a_set_up_makes_it_anew(server: &TestServer) -> Verdict {
    let own = match OwnServer::new(server) {
        Ok(own) => own,
        Err(skipped) => return skipped,
    };
    let reset = |more: &[&str]| own.run(&[&["db-server", "reset"], more].concat());
    reset(&["--yes"]).exits(1).says("the development server is not running");
    own.set_up().succeeds();
    let sql = |text: &str| {
        let psql = ["db-server", "psql", "singularity_dev", "--", "-XAtc", text];
        own.run(&psql).succeeds().stdout.trim().to_owned()
    };
    sql(
        "INSERT INTO code_files (repo_name, file_path, content, content_hash, size_bytes) VALUES ('r', 'f', '', sha256('x'), 0)",
    );

    reset(&[]).exits(2).says("was not agreed to").says("hint: nothing was changed; pass `--yes`");
    reset(&["--dry-run"]).exits(3);
    reset(&["postgres", "--yes"]).exits(4).says("is not marked as one of development or tests");
    let mut elsewhere = xtask_command(&own.project, &["db-server", "reset", "--yes"]);
    elsewhere.env("DATABASE_URL", "postgres://u@db.example.com/singularity_dev");
    command::run(elsewhere).exits(2).says("which is not the development server of this project");
    assert_eq!(sql("SELECT count(*) FROM code_files"), "1");

    assert!(reset(&["--yes"]).succeeds().stdout.contains("Dropped database `singularity_dev`"));
    assert!(reset(&["--yes"]).succeeds().stdout.starts_with("Unchanged"));
    own.set_up().succeeds();
    assert_eq!(sql("SELECT count(*) FROM code_files"), "0");
    Passed
}

fn a_cleaned_cache_keeps_what_a_server_runs_from(server: &TestServer) -> Verdict {
    let own = match OwnServer::new(server) {
        Ok(own) => own,
        Err(skipped) => return skipped,
    };
    // Whatever the cache is, the suites' own server runs from it.
    let before = own.run(&["clean-cache", "--dry-run", "--json"]).json();
    let kept = before["kept"].as_array().unwrap();
    assert!(kept.iter().any(|folder| folder["process"].as_i64() > Some(0)), "{before}");
    assert!(kept.iter().all(|folder| folder["bytes"].as_u64() > Some(1_000_000)), "{before}");
    Passed
}
