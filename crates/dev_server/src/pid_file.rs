//! `postmaster.pid`: which process serves a cluster, and whether it still does.

use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::file;

/// What the pid file and the process table say about a cluster's server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Postmaster {
    /// There is no pid file.
    Absent,
    /// There is one, of a process that is gone, or whose number another program has by now.
    Stale {
        /// The number in the file, where it could be read.
        pid: Option<i32>,
        /// Whether another program has that number.
        reused: bool,
    },
    /// The server starts, recovers or stops.
    Busy {
        /// Its process.
        pid: i32,
    },
    /// The server takes connections.
    Ready {
        /// Its process.
        pid: i32,
        /// The port it listens on.
        port: u16,
    },
}

/// Looks at the pid file of the cluster in `data`, an absolute path without links. Starts no process on Linux.
pub(crate) fn inspect(data: &Path) -> Result<Postmaster, Error> {
    let Some(text) = file::read(&data.join("postmaster.pid"))? else {
        return Ok(Postmaster::Absent);
    };
    let Some(found) = parse(&text) else {
        // PostgreSQL creates the file and fills it a moment later; an empty one may be of a starting server.
        return Ok(Postmaster::Stale { pid: None, reused: false });
    };
    let pid = found.pid;
    if !process::is_alive(pid) {
        return Ok(Postmaster::Stale { pid: Some(pid), reused: false });
    }
    if !process::serves(&found, data) {
        return Ok(Postmaster::Stale { pid: Some(pid), reused: true });
    }
    Ok(match found.port.filter(|_| found.ready) {
        Some(port) => Postmaster::Ready { pid, port },
        None => Postmaster::Busy { pid },
    })
}

/// The port and the socket's folder in the pid file of the cluster in `data`, whether its process lives or not.
pub(crate) fn address(data: &Path) -> Result<Option<(u16, Option<PathBuf>)>, Error> {
    let text = file::read(&data.join("postmaster.pid"))?.unwrap_or_default();
    let Some(port) = parse(&text).and_then(|found| found.port) else { return Ok(None) };
    let socket_directory = text.lines().nth(4).map(str::trim).filter(|folder| !folder.is_empty()).map(PathBuf::from);
    Ok(Some((port, socket_directory)))
}

/// Whether any process still works in the cluster in `data`. Backends outlive a killed server for a moment, and a
/// second server beside them would destroy the cluster.
pub(crate) fn has_survivors(data: &Path) -> bool {
    process::any_in(data)
}

#[derive(Debug, PartialEq, Eq)]
struct PidFile {
    pid: i32,
    port: Option<u16>,
    ready: bool,
}

/// Reads the lines that matter: 1 the process (negative for a single-user server), 4 the port, 8 the status.
fn parse(text: &str) -> Option<PidFile> {
    let lines: Vec<&str> = text.lines().collect();
    let pid: i32 = lines.first()?.trim().parse().ok()?;
    let line = |number: usize| lines.get(number - 1).map(|line| line.trim());
    Some(PidFile {
        pid: pid.checked_abs().filter(|pid| *pid > 0)?,
        port: line(4).and_then(|port| port.parse().ok()).filter(|port| *port != 0),
        ready: line(8) == Some("ready"),
    })
}

#[cfg(target_os = "linux")]
mod process {
    use std::io;
    use std::os::unix::fs::MetadataExt;
    use std::path::{Path, PathBuf};

    pub(super) fn is_alive(pid: i32) -> bool {
        // A zombie has finished, even though its number is not free yet.
        std::fs::read_to_string(format!("/proc/{pid}/stat"))
            .is_ok_and(|stat| !stat.rsplit(')').next().unwrap_or_default().trim_start().starts_with('Z'))
    }

    /// PostgreSQL's processes work in the data folder.
    pub(super) fn serves(found: &super::PidFile, data: &Path) -> bool {
        let process = PathBuf::from(format!("/proc/{}", found.pid));
        match std::fs::read_link(process.join("cwd")) {
            Ok(directory) => directory == data,
            // Another user's process hides its folder, but not its name and owner.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                let name = std::fs::read_to_string(process.join("comm")).unwrap_or_default();
                let owners = (process.metadata(), data.metadata());
                name.trim() == "postgres" && matches!(owners, (Ok(process), Ok(data)) if process.uid() == data.uid())
            }
            Err(_) => false,
        }
    }

    pub(super) fn any_in(data: &Path) -> bool {
        let Ok(processes) = std::fs::read_dir("/proc") else {
            return false;
        };
        processes
            .flatten()
            .filter(|entry| entry.file_name().as_encoded_bytes().iter().all(u8::is_ascii_digit))
            .any(|entry| std::fs::read_link(entry.path().join("cwd")).is_ok_and(|directory| directory == data))
    }
}

#[cfg(not(target_os = "linux"))]
mod process {
    use std::path::Path;
    use std::time::Duration;

    use rustix::process::{Pid, test_kill_process};

    pub(super) fn is_alive(pid: i32) -> bool {
        let Some(pid) = Pid::from_raw(pid) else { return false };
        matches!(test_kill_process(pid), Ok(()) | Err(rustix::io::Errno::PERM))
    }

    /// A server that answers costs no process; only a silent number is looked up.
    pub(super) fn serves(found: &super::PidFile, _data: &Path) -> bool {
        if found.port.is_some_and(|port| crate::probe::answers(port, Duration::from_millis(300))) {
            return true;
        }
        let mut ps = crate::process::command("ps", Path::new("/"));
        crate::process::stdout(ps.args(["-o", "comm=", "-p", &found.pid.to_string()]))
            .is_ok_and(|name| name.trim().rsplit('/').next() == Some("postgres"))
    }

    pub(super) fn any_in(_data: &Path) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READY: &str = "4711\n/p/.dev-db/data\n1766000000\n20345\n/p/.dev-db/socket\n127.0.0.1\n  5432 7\nready   \n";

    #[test]
    fn reads_pid_port_and_status() {
        let expected = PidFile { pid: 4711, port: Some(20345), ready: true };
        assert_eq!(parse(READY), Some(expected));
    }

    #[test]
    fn a_server_that_starts_is_not_ready() {
        assert!(!parse(&READY.replace("ready   ", "starting")).unwrap().ready);
        assert!(!parse("4711\n/p/.dev-db/data\n1766000000\n").unwrap().ready);
    }

    #[test]
    fn a_single_user_server_has_a_negative_number() {
        assert_eq!(parse("-4711\n/p\n").unwrap().pid, 4711);
    }

    #[test]
    fn nonsense_is_no_pid_file() {
        for text in ["", "\n", "zero\n", "0\n", "-2147483648\n"] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    fn inspected(pid: &str) -> Postmaster {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().canonicalize().unwrap();
        std::fs::write(data.join("postmaster.pid"), READY.replace("4711", pid)).unwrap();
        inspect(&data).unwrap()
    }

    #[test]
    fn no_file_is_no_server() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(inspect(folder.path()).unwrap(), Postmaster::Absent);
        assert!(!has_survivors(folder.path()));
    }

    #[test]
    fn a_finished_process_is_stale() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = child.id().cast_signed();
        child.wait().unwrap();
        assert_eq!(inspected(&pid.to_string()), Postmaster::Stale { pid: Some(pid), reused: false });
    }

    #[test]
    fn another_program_is_stale_although_it_lives() {
        let pid = std::process::id().cast_signed();
        assert_eq!(inspected(&pid.to_string()), Postmaster::Stale { pid: Some(pid), reused: true });
    }
}
