//! PostgreSQL programs on PATH.

use std::path::Path;
use std::process::Output;

use libtest_mimic::Trial;

use crate::need::Need;
use crate::project::{Project, ask, embedded_bin};
use crate::{child, trial};

pub(crate) fn trials() -> Vec<Trial> {
    const EMBEDDED: &[Need] = &[Need::Embedded];
    vec![
        trial("programs_on_path_that_offer_pgvector_are_used", EMBEDDED, programs_on_path_that_offer_pgvector_are_used),
        trial("local_without_any_program_is_an_error", &[], local_without_any_program_is_an_error),
    ]
}

fn start_with_path(project: &Project, kind: &str, bin: &Path) -> (Output, String) {
    let path = std::env::join_paths([bin, Path::new("/usr/bin"), Path::new("/bin")]).unwrap();
    let output = child::start(&project.root, kind).env("PATH", path).output().unwrap();
    let answer = String::from_utf8_lossy(&output.stdout).into_owned();
    (output, answer)
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

fn local_without_any_program_is_an_error() {
    let project = Project::new();
    let (output, answer) = start_with_path(&project, "local", Path::new("/nowhere"));
    // A machine may have a PostgreSQL that fits where packages put it.
    if !output.status.success() {
        assert!(answer.starts_with("no PostgreSQL on this machine fits"), "{answer}");
    }
}
