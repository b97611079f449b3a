//! Starts and stops the server of a cluster.

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::disk;
use crate::error::Error;
use crate::file;
use crate::home::{DATA, Home, LOG, Site};
use crate::note::Note;
use crate::pid_file::{self, Postmaster};
use crate::process;

/// Why a server did not start.
pub(crate) enum Refusal {
    /// Somebody took the port between our look at it and the server's.
    PortTaken,
    /// Anything else.
    Error(Error),
}

/// Starts the server and waits until it takes connections.
///
/// `pg_ctl` makes it the leader of a session of its own, so neither Ctrl-C nor the end of the caller's terminal
/// reaches it. And it gets none of the caller's files: a pipe would not end before the server does, and whoever reads it
/// (direnv has one at number 3) would wait for that.
pub(crate) fn start(site: &Site<'_>, bin: &Path, timeout: Duration) -> Result<(), Refusal> {
    let Site { home, account, .. } = site;
    let log = home.log();
    let end = file::append(&log, 0o600, account.owner())
        .and_then(|file| file.metadata().map_err(|source| Error::file("inspect", &log, source)))
        .map_err(Refusal::Error)?
        .len();
    let mut command = site.command(&bin.join("pg_ctl")).map_err(Refusal::Error)?;
    close_fds::set_fds_cloexec_threadsafe(3, &[]);
    let Err(source) = process::stdout(start_arguments(&mut command, timeout)) else {
        return Ok(());
    };
    let tail = process::tail(&text_from(&log, end));
    if tail.contains("could not bind") {
        return Err(Refusal::PortTaken);
    }
    Err(Refusal::Error(if source.tail().contains("did not start in time") {
        Error::StartTimeout { timeout, tail }
    } else if disk::is_full(&tail, &home.folder) {
        Error::DiskFull { action: "start the server", path: home.folder.clone(), tail, source }
    } else {
        Error::Start { log, tail, source }
    }))
}

/// Stops the server `pid`: clients are disconnected, transactions rolled back, and everything written down.
///
/// It may go by itself meanwhile, or at the very end of the time it is given, and then `pg_ctl` fails: what counts is
/// that it is gone.
pub(crate) fn stop(site: &Site<'_>, bin: &Path, pid: i32) -> Result<(), Error> {
    let mut command = site.command(&bin.join("pg_ctl"))?;
    command.args(["stop", "-s", "-D", DATA, "-m", "fast", "-w", "-t", "60"]);
    let Err(source) = process::stdout(&mut command) else { return Ok(()) };
    match pid_file::inspect(&site.home.data())? {
        Postmaster::Busy { pid: still } | Postmaster::Ready { pid: still, .. } if still == pid => {
            Err(Error::Stop { pid, source })
        }
        _ => Ok(()),
    }
}

/// Waits while a server starts, recovers or stops, and says what has become of it.
pub(crate) fn settled(home: &Home, timeout: Duration) -> Result<Postmaster, Error> {
    let begin = Instant::now();
    loop {
        let postmaster = pid_file::inspect(&home.data())?;
        if !matches!(postmaster, Postmaster::Busy { .. }) {
            return Ok(postmaster);
        }
        if begin.elapsed() > timeout {
            let tail = process::tail(&text_from(&home.log(), 0));
            return Err(Error::StartTimeout { timeout, tail });
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Removes the pid file of a server that is gone, once its last processes are gone too.
pub(crate) fn clear_stale(home: &Home, timeout: Duration, notes: &mut Vec<Note>) -> Result<(), Error> {
    let data = home.data();
    let Postmaster::Stale { pid, reused } = pid_file::inspect(&data)? else {
        return Ok(());
    };
    let begin = Instant::now();
    while pid_file::has_survivors(&data) {
        if begin.elapsed() > timeout {
            return Err(Error::Survivors { data });
        }
        thread::sleep(Duration::from_millis(20));
    }
    file::remove(&data.join("postmaster.pid"))?;
    notes.push(Note::StalePidFile { pid, reused });
    Ok(())
}

/// Relative paths, because `pg_ctl` hands them to a shell between plain double quotes.
///
/// Silent, because a dot that it prints for each second would end it where this program was killed and nobody reads: the
/// lock would be free while the server is still starting.
fn start_arguments(command: &mut Command, timeout: Duration) -> &mut Command {
    let seconds = timeout.as_secs().max(1).to_string();
    command.args(["start", "-s", "-D", DATA, "-l", LOG, "-w", "-t", &seconds])
}

/// What was written to `path` after its first `start` bytes, or the end of that; nothing if it cannot be read.
fn text_from(path: &Path, start: u64) -> String {
    const ENOUGH: u64 = 64 * 1024;
    let read = || {
        let mut file = std::fs::File::open(path)?;
        let start = start.max(file.metadata()?.len().saturating_sub(ENOUGH));
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        file.take(ENOUGH).read_to_end(&mut bytes)?;
        std::io::Result::Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    read().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::account::Account;

    /// Calls `act` with a `pg_ctl` that does what `script` says, in the home of a cluster.
    fn with_pg_ctl<T>(script: &str, act: impl FnOnce(&Site<'_>, &Path) -> T) -> T {
        let folder = tempfile::tempdir().unwrap();
        let pg_ctl = folder.path().join("pg_ctl");
        fs::write(&pg_ctl, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&pg_ctl, Permissions::from_mode(0o755)).unwrap();
        fs::write(folder.path().join(LOG), "of an earlier start: could not bind\n").unwrap();
        let account = Account { uid: 0, gid: 0, name: String::new(), switch: false };
        let lock = File::create(folder.path().join("lock")).unwrap();
        let home = Home { folder: folder.path().canonicalize().unwrap() };
        act(&Site { home, account, lock: &lock }, folder.path())
    }

    fn started_by(script: &str) -> Result<(), Refusal> {
        with_pg_ctl(script, |site, bin| start(site, bin, Duration::from_secs(7)))
    }

    /// Stops a server, which is a process in the cluster's folder with a pid file.
    fn stopped_by(script: &str) -> Result<(), Error> {
        with_pg_ctl(script, |site, bin| {
            let data = site.home.data();
            fs::create_dir(&data).unwrap();
            let mut server = Command::new("sleep").arg("60").current_dir(&data).spawn().unwrap();
            let pid = server.id().cast_signed();
            fs::write(data.join("postmaster.pid"), format!("{pid}\n{}\n1\n20345\n", data.display())).unwrap();
            let outcome = stop(site, bin, pid);
            server.kill().unwrap();
            server.wait().unwrap();
            outcome
        })
    }

    #[test]
    fn a_server_that_is_gone_has_stopped_whatever_pg_ctl_says() {
        let limit = "echo 'pg_ctl: server does not shut down' >&2; exit 1";
        assert!(matches!(stopped_by(limit), Err(Error::Stop { .. })));
        stopped_by(&format!("rm data/postmaster.pid; {limit}")).unwrap();
        // Killed, so that its pid file stays.
        stopped_by(&format!("kill -KILL $(head -n 1 data/postmaster.pid); sleep 1; {limit}")).unwrap();
        stopped_by("rm data/postmaster.pid; echo 'pg_ctl: PID file does not exist' >&2; exit 1").unwrap();
    }

    #[test]
    fn a_port_that_was_taken_in_between_is_told_apart() {
        let script = "echo 'LOG:  could not bind IPv4 address \"127.0.0.1\": Address already in use' >> log; exit 1";
        assert!(matches!(started_by(script), Err(Refusal::PortTaken)));
    }

    #[test]
    fn a_failure_carries_what_this_start_logged() {
        let Err(Refusal::Error(error)) = started_by("echo 'FATAL:  no' >> log; echo 'could not start server'; exit 1")
        else {
            panic!("it failed");
        };
        assert!(error.to_string().ends_with("ends with:\n  FATAL:  no"), "{error}");
        assert!(!error.to_string().contains("earlier"));
    }

    #[test]
    fn a_full_disk_and_a_lack_of_time_are_told_apart() {
        let full = started_by("echo 'FATAL:  could not write: No space left on device' >> log; exit 1");
        assert!(matches!(full, Err(Refusal::Error(Error::DiskFull { .. }))));
        let slow = started_by("echo 'pg_ctl: server did not start in time'; exit 1");
        assert!(matches!(slow, Err(Refusal::Error(Error::StartTimeout { .. }))));
        assert!(started_by("exit 0").is_ok());
    }

    #[test]
    fn pg_ctl_gets_relative_paths_and_whole_seconds() {
        let mut command = Command::new("pg_ctl");
        start_arguments(&mut command, Duration::from_millis(2500));
        let arguments: Vec<_> = command.get_args().map(|argument| argument.to_str().unwrap()).collect();
        assert_eq!(arguments.join(" "), "start -s -D data -l log -w -t 2");
    }

    #[test]
    fn a_log_is_read_from_where_this_start_began() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        std::fs::write(&path, "old\nnew\n").unwrap();
        assert_eq!(text_from(&path, 4), "new\n");
        assert_eq!(text_from(&folder.path().join("none"), 0), "");
    }
}
