//! Finds the server that runs for a project. Called before every other command, so it must cost next to nothing.

use std::path::Path;
use std::time::Duration;

use crate::error::Error;
use crate::home;
use crate::known;
use crate::pid_file::{self, Postmaster};
use crate::probe;
use crate::record::Record;
use crate::server::{Log, Server};
use crate::state_folder::StateFolder;

/// How long a port of this machine may take to accept. Only a container's is asked.
const ANSWER: Duration = Duration::from_millis(300);

/// The server of the project in `root` that takes connections now, if there is one.
///
/// Reads a few small files and asks the kernel about one process (or, for a container, its port): well under a
/// millisecond. Writes nothing, and starts no process unless the record of the server is damaged.
pub fn running(root: &Path) -> Result<Option<Server>, Error> {
    running_in(&StateFolder::of(root)?)
}

/// The same for a project whose state is known.
pub(crate) fn running_in(state: &StateFolder) -> Result<Option<Server>, Error> {
    let Some(record) = known::read(state)? else {
        return Ok(None);
    };
    if let Some(container) = &record.container {
        if !container.started || !probe::listens(record.port, ANSWER) {
            return Ok(None);
        }
        let log = Log::Container { engine: container.engine.clone(), name: container.name.clone() };
        let port = record.port;
        return server(state, record, port, log);
    }
    let home = home::find(state)?;
    match pid_file::inspect(&home.data())? {
        Postmaster::Ready { port, .. } => server(state, record, port, Log::File(home.log())),
        _ => Ok(None),
    }
}

/// The log of the project's server, whether it runs or not; none where none was started yet.
///
/// # Errors
/// When the state cannot be read.
pub fn log(root: &Path) -> Result<Option<Log>, Error> {
    let state = StateFolder::of(root)?;
    if let Some(container) = known::read(&state)?.and_then(|record| record.container) {
        return Ok(Some(Log::Container { engine: container.engine, name: container.name }));
    }
    let file = home::find(&state)?.log();
    Ok(file.exists().then_some(Log::File(file)))
}

/// The server that `record` describes; `None` where its password is gone, and with it every way to use it.
fn server(state: &StateFolder, record: Record, port: u16, log: Log) -> Result<Option<Server>, Error> {
    let Some(password) = state.read_password()? else {
        return Ok(None);
    };
    Ok(Some(Server {
        kind: record.kind,
        version: record.version,
        port,
        socket_directory: record.socket_directory,
        bin_directory: record.bin_directory,
        log,
        user: "postgres".to_owned(),
        password,
        password_file: state.password_for_psql(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_without_a_server_is_left_untouched() {
        let folder = tempfile::tempdir().unwrap();
        assert!(running(folder.path()).unwrap().is_none());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_project_that_is_not_there_is_an_error() {
        let error = running(Path::new("/nowhere/at/all")).unwrap_err();
        assert_eq!(error.to_string(), "cannot find the project folder `/nowhere/at/all`");
    }
}
