//! What can go wrong in this tool: what (`Display`), why (`source`), next (`hint`).

use std::path::PathBuf;

use db_service::{Exit, Failure};

use crate::layers::bootstrap::ExtensionError;
use crate::layers::ecto::EctoError;
use crate::process::ProcessError;
use crate::server::ServerError;
use crate::structure::StructureError;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("cannot tell the working directory")]
    WorkingDirectory(#[source] std::io::Error),
    #[error("cannot open the project folder `{}`", .folder.display())]
    ProjectFolder {
        folder: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("`{}` is not inside the project", .0.display())]
    NoProject(PathBuf),
    #[error("cannot start the runtime")]
    Runtime(#[source] std::io::Error),
    #[error(transparent)]
    Server(#[from] ServerError),
    #[error(transparent)]
    Extension(#[from] ExtensionError),
    #[error(transparent)]
    Ecto(#[from] EctoError),
    #[error(transparent)]
    Database(#[from] db_service::Error),
    #[error(transparent)]
    Structure(#[from] StructureError),
    #[error(transparent)]
    Process(#[from] ProcessError),
    #[error("interrupted")]
    Interrupted,
    #[error("cannot run a command")]
    Shell(#[from] xshell::Error),
    #[error("{failed} of {total} checks failed: {names}")]
    Checks { failed: usize, total: usize, names: String },
    #[error("cannot measure: sqlx-cli, which the result is compared with, is not installed")]
    NothingToCompare,
    #[error("cannot measure: {0}")]
    Bench(&'static str),
}

impl Failure for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::WorkingDirectory(_)
            | Self::ProjectFolder { .. }
            | Self::Runtime(_)
            | Self::Shell(_)
            | Self::Checks { .. } => None,
            Self::Bench(_) => Some(
                "run the commands by hand to see why: `cargo xtask db-setup`, `mix ecto.migrate`, `sqlx migrate run`"
                    .into(),
            ),
            Self::NothingToCompare => {
                Some("run `cargo install sqlx-cli --no-default-features --features postgres,rustls,sqlx-toml`".into())
            }
            Self::NoProject(_) => {
                Some("run it inside the checkout, or name the folder with `--project <FOLDER>`".into())
            }
            Self::Server(error) => error.hint(),
            Self::Extension(error) => Some(error.hint()),
            Self::Ecto(error) => error.hint(),
            Self::Database(error) => error.hint(),
            Self::Structure(error) => error.hint(),
            Self::Process(error) => error.hint(),
            Self::Interrupted => Some("nothing is lost; run the same command again to finish the work".into()),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::NoProject(_) | Self::ProjectFolder { .. } => Exit::Usage,
            Self::Server(error) => error.exit(),
            Self::Extension(error) => error.exit(),
            Self::Ecto(error) => error.exit(),
            Self::Database(error) => error.exit(),
            Self::Structure(error) => error.exit(),
            _ => Exit::Failed,
        }
    }
}

impl From<db_service::ConnectError> for Error {
    fn from(error: db_service::ConnectError) -> Self {
        Self::Database(error.into())
    }
}
