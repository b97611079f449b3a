//! What a start did beside the obvious, and the user should know.

use std::fmt;
use std::path::PathBuf;

use crate::rejection::Rejection;

/// Something that the caller should show. Its `Display` is one sentence without a final period.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// Another program has the project's port.
    PortTaken {
        /// The port it has.
        taken: u16,
        /// The port that the server listens on from now on.
        used: u16,
    },
    /// A port was asked for, but the server already runs on another one.
    PortIgnored {
        /// The port that was asked for.
        asked: u16,
        /// The port in use.
        used: u16,
    },
    /// The record of the server could not be understood.
    RecordMended {
        /// The record.
        path: PathBuf,
    },
    /// A server was killed and left its pid file.
    StalePidFile {
        /// The process in the file, where it could be read.
        pid: Option<i32>,
        /// Whether another program has that number by now.
        reused: bool,
    },
    /// A server whose cluster had been removed under it was ended.
    OrphanEnded {
        /// Its process.
        pid: i32,
        /// The folder that its cluster was in.
        data: PathBuf,
    },
    /// A start was killed while it initialised the cluster.
    UnfinishedClusterRemoved {
        /// What was removed.
        path: PathBuf,
    },
    /// A PostgreSQL of this machine was not used.
    PassedOver(Rejection),
    /// The server's account may not enter the project, so the cluster lives elsewhere.
    Relocated {
        /// The account that the server runs as.
        account: String,
        /// Where the cluster is.
        home: PathBuf,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PortTaken { taken, used } => {
                write!(formatter, "port {taken} is taken by another program, so the server now has port {used}")
            }
            Self::PortIgnored { asked, used } => {
                write!(formatter, "the server already runs on port {used}; stop it first to move it to port {asked}")
            }
            Self::RecordMended { path } => {
                write!(formatter, "Mended `{}`, which was damaged, from what the server itself says", path.display())
            }
            Self::StalePidFile { pid, reused } => {
                formatter.write_str("Removed the pid file of a server that was killed")?;
                match (pid, reused) {
                    (Some(pid), true) => write!(formatter, " (process {pid} is another program now)"),
                    (Some(pid), false) => write!(formatter, " (process {pid} is gone)"),
                    (None, _) => Ok(()),
                }
            }
            Self::OrphanEnded { pid, data } => {
                write!(
                    formatter,
                    "Ended this project's former server (process {pid}), whose `{}` was removed",
                    data.display()
                )
            }
            Self::UnfinishedClusterRemoved { path } => {
                write!(formatter, "Removed `{}`, left by a start that was killed", path.display())
            }
            Self::PassedOver(rejection) => write!(formatter, "Passed over {rejection}"),
            Self::Relocated { account, home } => write!(
                formatter,
                "the server runs as `{account}`, which may not enter the project folder, so its data is in `{}`",
                home.display()
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_one_sentence() {
        let note = Note::StalePidFile { pid: Some(7), reused: true };
        assert_eq!(
            note.to_string(),
            "Removed the pid file of a server that was killed (process 7 is another program now)"
        );
        let note = Note::PortTaken { taken: 1, used: 2 };
        assert_eq!(note.to_string(), "port 1 is taken by another program, so the server now has port 2");
    }
}
