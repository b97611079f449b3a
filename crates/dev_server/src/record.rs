//! What is known about the server, kept in `server.json`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::kind::Kind;
use crate::state_folder::StateFolder;

/// Describes the server that was started last. It is written before the start, so it does not prove that one runs;
/// a process or a port does (see [`crate::running()`]).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) kind: Kind,
    pub(crate) version: String,
    pub(crate) port: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) socket_directory: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) bin_directory: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) container: Option<Container>,
}

/// A container that holds a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Container {
    /// The program that runs it: `docker` or `podman`.
    pub(crate) engine: String,
    /// Its name.
    pub(crate) name: String,
    /// Whether it was left running. A stopped one is not looked for: another program may have its port by now.
    pub(crate) started: bool,
}

/// Reads the record; `None` where no server has been started yet.
pub(crate) fn read(state: &StateFolder) -> Result<Option<Record>, Error> {
    let path = state.record();
    let Some(text) = state.read(&path)? else {
        return Ok(None);
    };
    serde_json::from_str(&text).map(Some).map_err(|source| Error::Record { path, source })
}

/// Writes the record.
pub(crate) fn write(state: &StateFolder, record: &Record) -> Result<(), Error> {
    let path = state.record();
    let mut text =
        serde_json::to_string_pretty(record).map_err(|source| Error::Record { path: path.clone(), source })?;
    text.push('\n');
    state.write(&path, text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_what_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateFolder::of(folder.path()).unwrap();
        state.create().unwrap();
        assert_eq!(read(&state).unwrap(), None);
        let record = Record {
            kind: Kind::Container,
            version: "17.6".to_owned(),
            port: 20_001,
            socket_directory: None,
            bin_directory: None,
            container: Some(Container {
                engine: "podman".to_owned(),
                name: "singularity-dev-0".to_owned(),
                started: true,
            }),
        };
        write(&state, &record).unwrap();
        assert_eq!(read(&state).unwrap(), Some(record));
    }

    #[test]
    fn a_damaged_record_names_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateFolder::of(folder.path()).unwrap();
        state.create().unwrap();
        state.write(&state.record(), b"{").unwrap();
        let error = read(&state).unwrap_err();
        assert!(error.to_string().contains("server.json"), "{error}");
        assert!(error.hint().unwrap().contains("server.json"));
    }
}
