//! What is known about the server, kept in `server.json`.

use std::io;
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

/// What is in the place of the record.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// No server has been started yet.
    Nothing,
    /// It was changed by hand, or by another version of this tool.
    Damaged,
    /// A record.
    Whole(Record),
}

/// Reads the record.
pub(crate) fn read(state: &StateFolder) -> Result<Found, Error> {
    match state.read(&state.record()) {
        Ok(None) => Ok(Found::Nothing),
        Ok(Some(text)) => Ok(serde_json::from_str(&text).map_or(Found::Damaged, Found::Whole)),
        Err(Error::File { source, .. }) if source.kind() == io::ErrorKind::InvalidData => Ok(Found::Damaged),
        Err(error) => Err(error),
    }
}

/// Writes the record.
pub(crate) fn write(state: &StateFolder, record: &Record) -> Result<(), Error> {
    let path = state.record();
    let mut text = serde_json::to_string_pretty(record).map_err(|source| Error::file("write", &path, source.into()))?;
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
        assert_eq!(read(&state).unwrap(), Found::Nothing);
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
        assert_eq!(read(&state).unwrap(), Found::Whole(record));
    }

    #[test]
    fn a_damaged_record_is_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateFolder::of(folder.path()).unwrap();
        state.create().unwrap();
        for damage in [&b"{"[..], b"", b"\xff\0", b"{\"kind\": \"embedded\"}"] {
            state.write(&state.record(), damage).unwrap();
            assert_eq!(read(&state).unwrap(), Found::Damaged, "{damage:?}");
        }
    }
}
