//! `cargo xtask test`, with a stand-in for cargo: what is seen while it builds, and what is counted.

use crate::Verdict::{self, Passed};
use crate::command::{path_with, project_copy, run, stand_in, xtask_command};
use crate::server::TestServer;

crate::tests![building_is_seen_and_tests_are_counted];

/// Builds without a word where it is told to be quiet, as cargo does.
const CARGO: &str = r#"case "$*" in
build*) case "$*" in *--quiet*) ;; *) echo "   Compiling everything" >&2 ;; esac ;;
test*)
  echo "test embedded::a ... ok"
  echo "test embedded::b ... ignored (mix is not installed)"
  echo "test result: ok. 1 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out"
  ;;
esac"#;

fn building_is_seen_and_tests_are_counted(_server: &TestServer) -> Verdict {
    let folder = tempfile::tempdir().unwrap();
    let project = project_copy(folder.path());
    let mut test = xtask_command(&project, &["test"]);
    test.env("PATH", path_with(&stand_in(folder.path(), "cargo", CARGO)));
    let said = run(test).succeeds();
    assert_eq!(said.stderr.matches("Compiling everything").count(), 1, "{}", said.stderr);
    said.prints("left out: 1 × mix is not installed").prints("1 passed, 0 failed, 1 skipped");
    Passed
}
