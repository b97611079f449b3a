//! Stops the project's server.

use std::path::Path;
use std::time::Duration;

use crate::container;
use crate::error::Error;
use crate::home::{self, Site};
use crate::known;
use crate::lock;
use crate::orphan;
use crate::pid_file::{self, Postmaster};
use crate::postmaster;
use crate::state_folder::StateFolder;

/// How long a server may take that has nothing to write down any more.
const LIMIT: Duration = Duration::from_secs(30);

/// What a stop came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The server was stopped.
    Stopped,
    /// There was none.
    WasNotRunning,
}

/// Stops the server of the project in `root`: clients are disconnected, everything committed is on disk.
///
/// Waits for a start or stop of another process first.
pub fn stop(root: &Path) -> Result<Stop, Error> {
    let state = StateFolder::of(root)?;
    if !state.folder.is_dir() {
        // Removed under a server, perhaps.
        let ended = orphan::end(&state, LIMIT)?;
        return Ok(if ended.is_empty() { Stop::WasNotRunning } else { Stop::Stopped });
    }
    let lock = lock::acquire(&state.lock(), "", &|_| ())?;
    known::mend(&state, &mut Vec::new())?;
    let Some(record) = known::read(&state)? else {
        return Ok(Stop::WasNotRunning);
    };
    if record.container.is_some() {
        let stopped = container::stop(&state, record)?;
        return Ok(if stopped { Stop::Stopped } else { Stop::WasNotRunning });
    }
    let home = home::find(&state)?;
    let (Postmaster::Busy { pid } | Postmaster::Ready { pid, .. }) = pid_file::inspect(&home.data())? else {
        return Ok(Stop::WasNotRunning);
    };
    let account = home::account(&state, &home);
    let bin = record.bin_directory.unwrap_or_default();
    let site = Site { home, account, lock: &lock };
    postmaster::stop(&site, &bin, pid)?;
    Ok(Stop::Stopped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_without_a_server_is_left_untouched() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(stop(folder.path()).unwrap(), Stop::WasNotRunning);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
