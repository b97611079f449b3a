//! The development server of a project, from the command line.

use std::path::PathBuf;

use crate::Verdict::{self, Passed, Skipped};
use crate::command::{self, Run, project_copy, xtask_command};
use crate::server::{Kind, TestServer};

crate::tests![a_new_server_is_set_up_without_an_error_in_its_log];

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
