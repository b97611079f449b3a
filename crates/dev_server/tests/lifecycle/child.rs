//! Starts in another process: to have many at once, to kill one, and to give one another environment.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use dev_server::Settings;

use crate::need::is_root;
use crate::project::TIMEOUT;

const ROOT: &str = "DEV_SERVER_TEST_ROOT";
const KIND: &str = "DEV_SERVER_TEST_KIND";

/// A command that starts the server of `root` and prints its port and whether it was started; `kind` may be empty.
pub(crate) fn start(root: &Path, kind: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.env(ROOT, root).env(KIND, kind);
    command
}

/// The same with a cache of its own. Root's cache is everybody's, so root does it as somebody else, who gets the
/// project and the cache.
pub(crate) fn start_with_cache(root: &Path, kind: &str, cache: &Path) -> Command {
    let mut command = start(root, kind);
    if is_root() {
        let program = root.join("test");
        std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
        for path in [root, cache] {
            let given = Command::new("chown").args(["-R", "65534"]).arg(path).status().unwrap();
            assert!(given.success());
        }
        command = Command::new(program);
        command.env(ROOT, root).env(KIND, kind).uid(65534).gid(65534).current_dir(root);
    }
    command.env("XDG_CACHE_HOME", cache).env("HOME", cache);
    command
}

/// What such a command does; `None` in the process that runs the tests.
pub(crate) fn main() -> Option<ExitCode> {
    let root = PathBuf::from(std::env::var_os(ROOT)?);
    let kind = std::env::var(KIND).unwrap_or_default().parse().ok();
    let settings = Settings { root, kind, port: None, timeout: TIMEOUT };
    Some(match dev_server::start(&settings, &|_| ()) {
        Ok(start) => {
            let outcome = if start.is_new { "Started" } else { "AlreadyRunning" };
            println!("{} {outcome} {}", start.server.kind, start.server.port);
            start.notes.iter().for_each(|note| println!("{note}"));
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("{error}");
            let mut cause = std::error::Error::source(&error);
            while let Some(error) = cause {
                println!("caused by: {error}");
                cause = error.source();
            }
            if let Some(hint) = error.hint() {
                println!("hint: {hint}");
            }
            ExitCode::FAILURE
        }
    })
}
