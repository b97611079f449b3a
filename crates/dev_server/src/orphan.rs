//! A server of this project whose cluster was removed under it: `rm -rf .dev-db` while it runs.
//!
//! PostgreSQL looks for its files once a minute, and ends when they are gone. Until then it has the project's port.

use std::time::Duration;

use crate::error::Error;
use crate::note::Note;
use crate::state_folder::StateFolder;

/// Ends such servers. There is nothing that they could still write down.
///
/// Only what is proven to be one is ended: a PostgreSQL that works in a folder which had the path of this project's
/// cluster, and which exists no more.
pub(crate) fn end(state: &StateFolder, limit: Duration) -> Result<Vec<Note>, Error> {
    let data = state.folder.join(crate::home::DATA);
    let ended = process::end_all_in_removed(&data, limit)?;
    Ok(ended.into_iter().map(|pid| Note::OrphanEnded { pid, data: data.clone() }).collect())
}

#[cfg(target_os = "linux")]
mod process {
    use std::ffi::OsString;
    use std::fs;
    use std::path::{Path, PathBuf};
    use std::time::Duration;

    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

    use crate::error::Error;

    /// Ends each postmaster whose folder was `data`, and gives their numbers once they are gone.
    pub(super) fn end_all_in_removed(data: &Path, limit: Duration) -> Result<Vec<i32>, Error> {
        let found = orphans(data);
        // Its backends have the same folder, and end with it.
        let postmasters = found.iter().filter(|process| !found.iter().any(|other| other.pid == process.parent));
        let mut ended = Vec::new();
        for Orphan { pid, .. } in postmasters {
            let Some(handle) = Pid::from_raw(*pid).and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok()) else {
                continue;
            };
            // The number may have been another process's by the time that it was opened.
            if is_orphan(*pid, data).is_some() && pidfd_send_signal(&handle, Signal::QUIT).is_ok() {
                let limit = Timespec::try_from(limit).ok();
                // It can be read from when the process has ended.
                if !matches!(poll(&mut [PollFd::new(&handle, PollFlags::IN)], limit.as_ref()), Ok(1..)) {
                    return Err(Error::OrphanStays { pid: *pid, data: data.to_owned() });
                }
                ended.push(*pid);
            }
        }
        Ok(ended)
    }

    struct Orphan {
        pid: i32,
        parent: i32,
    }

    fn orphans(data: &Path) -> Vec<Orphan> {
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        numbers.filter_map(|pid| is_orphan(pid, data)).collect()
    }

    /// The kernel says which folder a process works in, and marks one that is removed; a folder that really has such a
    /// name is there. (Its links cannot be counted on: some file systems in containers count them as if it were.)
    fn is_orphan(pid: i32, data: &Path) -> Option<Orphan> {
        let process = PathBuf::from(format!("/proc/{pid}"));
        let mut removed = OsString::from(data);
        removed.push(" (deleted)");
        let works_there = fs::read_link(process.join("cwd")).ok()? == removed && !Path::new(&removed).exists();
        let stat = fs::read_to_string(process.join("stat")).ok()?;
        // `4711 (postgres) S 1 …`
        let (head, tail) = stat.rsplit_once(')')?;
        let mut fields = tail.split_whitespace();
        let is_zombie = fields.next()? == "Z";
        let parent = fields.next()?.parse().ok()?;
        let is_postgres = head.ends_with("(postgres");
        (works_there && is_postgres && !is_zombie).then_some(Orphan { pid, parent })
    }
}

#[cfg(not(target_os = "linux"))]
mod process {
    use std::path::Path;
    use std::time::Duration;

    use crate::error::Error;

    /// Nothing here tells which folder a process works in, so nothing can be proven.
    #[expect(clippy::unnecessary_wraps, reason = "on Linux it can fail")]
    pub(super) fn end_all_in_removed(_data: &Path, _limit: Duration) -> Result<Vec<i32>, Error> {
        Ok(Vec::new())
    }
}
