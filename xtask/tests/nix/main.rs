//! The flake: its text, and what Nix makes of it with the stand-in for nixpkgs in `nix/stub`: the Nix of this machine, and
//! the one of a container.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![expect(clippy::print_stderr, reason = "which Nix takes part is shown above the tests")]

mod checkout;
mod container;
mod direnv;
mod files;
mod shell;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use libtest_mimic::{Arguments, Completion, Failed, Trial};

use checkout::Checkout;
use container::Container;

/// A name, what it needs (programs, or [`NO_POSTGRESQL`]), and the test.
pub(crate) type Test = (&'static str, &'static str, fn());

/// No server but the one that the stand-in names.
const NO_POSTGRESQL: &str = "!postgresql";

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Each is a build, a server or both; and they share a checkout.
    arguments.test_threads = Some(1);
    let with_nix = || shell::TESTS.iter().chain(direnv::TESTS);
    let trials = files::TESTS
        .iter()
        .map(|test| here("files", test))
        .chain(with_nix().map(|test| here("machine", test)))
        .chain(with_nix().map(|(name, ..)| in_container(name)))
        .collect();
    if !arguments.list
        && let Ok(version) = Command::new("nix").arg("--version").output()
    {
        eprint!("{}", String::from_utf8_lossy(&version.stdout));
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    Checkout::remove();
    Container::remove();
    conclusion.exit_code()
}

fn here(kind: &str, &(name, needs, test): &Test) -> Trial {
    Trial::ignorable_test(format!("{kind}::{name}"), move || {
        for need in needs.split_whitespace() {
            match need {
                // Only a container's may be put aside for a moment.
                NO_POSTGRESQL if !servers_of_debian().is_empty() && !checkout::is_in_container() => {
                    return Ok(Completion::ignored_with("the machine's own PostgreSQL would be taken"));
                }
                NO_POSTGRESQL => {}
                program if is_on_path(program) => {}
                program => return Ok(Completion::ignored_with(format!("{program} is not installed"))),
            }
        }
        std::panic::catch_unwind(test).map(|()| Completion::Completed).map_err(|_| Failed::without_message())
    })
}

/// The same test by the same program, in the container.
fn in_container(name: &'static str) -> Trial {
    Trial::ignorable_test(format!("container::{name}"), move || match Container::get() {
        Err(why) => Ok(Completion::ignored_with(why.clone())),
        Ok(container) => container.run(&format!("machine::{name}")),
    })
}

/// What starts a server, of each version that Debian's packages have installed with pgvector.
fn servers_of_debian() -> Vec<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let with_vector = versions.filter(|version| {
        Path::new("/usr/share/postgresql").join(version.file_name()).join("extension/vector.control").exists()
    });
    with_vector.map(|version| version.path().join("bin/pg_ctl")).filter(|program| program.exists()).collect()
}

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn is_on_path(program: &str) -> bool {
    std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).any(|folder| folder.join(program).is_file())
}
