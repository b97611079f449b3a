//! PostgreSQL programs on PATH.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use libtest_mimic::Trial;

use crate::need::Need;
use crate::project::{Project, TIMEOUT, ask, embedded_bin};
use crate::{child, trial};

pub(crate) fn trials() -> Vec<Trial> {
    const EMBEDDED: &[Need] = &[Need::Embedded];
    vec![
        trial("programs_on_path_that_offer_pgvector_are_used", EMBEDDED, programs_on_path_that_offer_pgvector_are_used),
        trial("killed_start_of_a_slow_server_is_waited_for", EMBEDDED, killed_start_of_a_slow_server_is_waited_for),
        trial("local_without_any_program_is_an_error", &[], local_without_any_program_is_an_error),
    ]
}

fn start_with_path(project: &Project, kind: &str, bin: &Path) -> (Output, String) {
    let output = with_path(project, kind, bin).output().unwrap();
    let answer = String::from_utf8_lossy(&output.stdout).into_owned();
    (output, answer)
}

fn with_path(project: &Project, kind: &str, bin: &Path) -> Command {
    let path = std::env::join_paths([bin, Path::new("/usr/bin"), Path::new("/bin")]).unwrap();
    let mut command = child::start(&project.root, kind);
    command.env("PATH", path);
    command
}

fn programs_on_path_that_offer_pgvector_are_used() {
    // The embedded programs serve as local ones: they are a complete installation.
    let bin = embedded_bin();
    for kind in ["local", ""] {
        let project = Project::new();
        let (_, answer) = start_with_path(&project, kind, &bin);
        assert!(answer.starts_with("local Started"), "{answer}");
        let server = dev_server::running(&project.root).unwrap().unwrap();
        assert_eq!(server.bin_directory.as_deref(), Some(bin.as_path()));
        assert_eq!(ask(&server, "SELECT 1"), "1");
    }
}

/// What a killed start has run goes on without it, and whoever comes next waits for that and starts no second server.
fn killed_start_of_a_slow_server_is_waited_for() {
    let project = Project::new();
    let programs = tempfile::tempdir().unwrap();
    fs::set_permissions(programs.path(), Permissions::from_mode(0o755)).unwrap();
    let bin = slow_programs(programs.path());
    let begun = project.state().join("data/begun");
    let since = Instant::now();
    let mut start = with_path(&project, "local", &bin).stdout(Stdio::null()).spawn().unwrap();
    while !begun.exists() {
        assert!(since.elapsed() < TIMEOUT, "no server was started");
        thread::sleep(Duration::from_millis(1));
    }
    start.kill().unwrap();
    start.wait().unwrap();
    let (_, answer) = start_with_path(&project, "local", &bin);
    assert!(answer.starts_with("local AlreadyRunning"), "{answer}");
}

/// Those of the embedded server, of which `postgres` takes a while before it does anything as a server; a file `begun`
/// in the cluster shows that it was called.
fn slow_programs(folder: &Path) -> PathBuf {
    let embedded = embedded_bin();
    let [installation, package, cache] = [1, 2, 3].map(|level| embedded.ancestors().nth(level).unwrap());
    let bin = folder.join("package/installation/bin");
    fs::create_dir_all(&bin).unwrap();
    // What they look for from where they are: their files beside them, their libraries beside the package.
    symlink(installation.join("lib"), bin.parent().unwrap().join("lib")).unwrap();
    symlink(installation.join("share"), bin.parent().unwrap().join("share")).unwrap();
    let libraries = format!("{}.libs", package.file_name().unwrap().to_str().unwrap());
    symlink(cache.join(&libraries), folder.join(&libraries)).unwrap();
    for program in fs::read_dir(&embedded).unwrap().map(Result::unwrap) {
        // They look for the others beside what a link leads to.
        fs::copy(program.path(), bin.join(program.file_name())).unwrap();
    }
    let real = bin.join("postgres.real");
    fs::rename(bin.join("postgres"), &real).unwrap();
    let script =
        format!("#!/bin/sh\nif [ \"$1\" = -D ]; then : > data/begun; sleep 3; fi\nexec '{}' \"$@\"\n", real.display());
    fs::write(bin.join("postgres"), script).unwrap();
    fs::set_permissions(bin.join("postgres"), Permissions::from_mode(0o755)).unwrap();
    bin
}

fn local_without_any_program_is_an_error() {
    let project = Project::new();
    let (output, answer) = start_with_path(&project, "local", Path::new("/nowhere"));
    // A machine may have a PostgreSQL that fits where packages put it.
    if !output.status.success() {
        assert!(answer.starts_with("no PostgreSQL on this machine fits"), "{answer}");
    }
}
