//! A temporary project whose server does not outlive the test.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use dev_server::{Error, Kind, Server, Settings, Start};
use tempfile::TempDir;

/// Long enough for eight servers on a busy machine.
pub(crate) const TIMEOUT: Duration = Duration::from_mins(2);

/// A folder with a project; dropping it stops its server and removes every trace.
pub(crate) struct Project {
    _folder: TempDir,
    /// The project's folder.
    pub(crate) root: PathBuf,
}

impl Project {
    /// A project in a folder that everybody may enter.
    pub(crate) fn new() -> Self {
        Self::named("project")
    }

    /// The same with a name of its own.
    pub(crate) fn named(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        let root = folder.path().canonicalize().unwrap().join(name);
        fs::create_dir_all(&root).unwrap();
        Self { _folder: folder, root }
    }

    /// The project's state folder.
    pub(crate) fn state(&self) -> PathBuf {
        self.root.join(".dev-db")
    }

    pub(crate) fn settings(&self, kind: Kind) -> Settings {
        Settings { root: self.root.clone(), kind: Some(kind), port: None, timeout: TIMEOUT }
    }

    pub(crate) fn start(&self, kind: Kind) -> Result<Start, Error> {
        dev_server::start(&self.settings(kind), &|_| ())
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        // Where a test has failed already, its own message is the one to read.
        let _ = dev_server::stop(&self.root);
        if let Ok(home) = fs::read_to_string(self.state().join("location")) {
            let _ = fs::remove_dir_all(home.trim_end());
        }
    }
}

/// What `server` answers to a query.
pub(crate) fn ask(server: &Server, query: &str) -> String {
    let output = dev_server::psql(server, "postgres")
        .args(["--no-psqlrc", "--tuples-only", "--no-align", "--command", query])
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Where the embedded programs are.
pub(crate) fn embedded_bin() -> PathBuf {
    let project = Project::new();
    project.start(Kind::Embedded).unwrap().server.bin_directory.unwrap()
}

/// The process in a cluster's pid file.
pub(crate) fn pid(data: &Path) -> String {
    let text = fs::read_to_string(data.join("postmaster.pid")).unwrap();
    text.lines().next().unwrap().to_owned()
}
