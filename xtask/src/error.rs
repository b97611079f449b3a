//! What can go wrong in this tool: what (`Display`), why (causes), next (`hint`).

use terminal::{Exit, Failure};

use crate::layers::error::LayerError;
use crate::process::ProcessError;
use crate::project::ProjectError;
use crate::reset::error::ResetError;
use crate::seed::SeedError;
use crate::server::ServerError;
use crate::structure::StructureError;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Project(#[from] ProjectError),
    #[error("cannot start the runtime")]
    Runtime(#[source] std::io::Error),
    #[error("cannot find this program's own file")]
    OwnFile(#[source] std::io::Error),
    #[error(transparent)]
    Server(#[from] ServerError),
    #[error(transparent)]
    Layer(#[from] LayerError),
    #[error(transparent)]
    Structure(#[from] StructureError),
    #[error(transparent)]
    Reset(#[from] ResetError),
    #[error(transparent)]
    Process(#[from] ProcessError),
    #[error(transparent)]
    Bench(#[from] bench::Error),
    #[error(transparent)]
    Seed(#[from] SeedError),
    #[error("interrupted")]
    Interrupted,
    #[error("cannot run a command")]
    Shell(#[from] xshell::Error),
    #[error("{failed} of {total} checks failed: {names}")]
    Checks { failed: usize, total: usize, names: String },
}

impl From<database::Error> for Error {
    fn from(error: database::Error) -> Self {
        LayerError::from(error).into()
    }
}

impl Failure for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Project(ProjectError::Outside(_)) => {
                Some("run it inside the checkout, or name the folder with `--project <FOLDER>`".into())
            }
            Self::Project(_) | Self::Runtime(_) | Self::OwnFile(_) | Self::Shell(_) | Self::Checks { .. } => None,
            Self::Server(error) => error.hint(),
            Self::Layer(error) => error.hint(),
            Self::Structure(error) => error.hint(),
            Self::Reset(error) => error.hint(),
            Self::Process(error) => error.hint(),
            Self::Bench(error) => error.hint(),
            Self::Seed(error) => error.hint(),
            Self::Interrupted => Some("nothing is lost; run the same command again to finish the work".into()),
        }
    }

    fn causes(&self) -> Vec<String> {
        match self {
            Self::Server(error) => error.causes(),
            Self::Layer(error) => error.causes(),
            Self::Structure(error) => error.causes(),
            Self::Bench(error) => error.causes(),
            Self::Seed(error) => error.causes(),
            _ => terminal::failure::chain(std::error::Error::source(self)),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Project(ProjectError::Outside(_) | ProjectError::Folder { .. }) => Exit::Usage,
            Self::Server(error) => error.exit(),
            Self::Layer(error) => error.exit(),
            Self::Structure(error) => error.exit(),
            Self::Bench(error) => error.exit(),
            Self::Seed(error) => error.exit(),
            Self::Reset(error) => error.exit(),
            Self::Interrupted => Exit::Interrupted,
            _ => Exit::Failed,
        }
    }
}
