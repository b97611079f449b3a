//! No dump.

use terminal::{Exit, Failure};

use crate::layers::error::LayerError;
use crate::server::ServerError;

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StructureError {
    #[error(transparent)]
    Server(#[from] ServerError),
    #[error(transparent)]
    Layer(#[from] LayerError),
    #[error("cannot start the runtime")]
    Runtime(#[source] std::io::Error),
    #[error("cannot run `pg_dump`")]
    Start(#[source] std::io::Error),
    #[error("`pg_dump --version` answers `{0}`")]
    Version(String),
    #[error("`pg_dump` {program} is older than the server, {server}")]
    Older { program: String, server: String },
    #[error("`pg_dump` failed: {0}")]
    Dump(String),
    #[error("cannot write `structure.sql`")]
    Write(#[source] std::io::Error),
    #[error("`structure.sql` is not what Ecto's migrations make: line {line} differs")]
    Differs { line: usize },
}

impl Failure for StructureError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Server(error) => return error.hint(),
            Self::Layer(error) => return error.hint(),
            Self::Start(_) => {
                "install PostgreSQL's client programs, or use the development server, which has them".into()
            }
            Self::Older { server, .. } => format!(
                "it would print what it does not know: put the server's own first on PATH, or install PostgreSQL's client programs {server} or later"
            ),
            Self::Version(_) => "is it PostgreSQL's own? Put that first on PATH".into(),
            Self::Dump(_) | Self::Write(_) | Self::Runtime(_) => return None,
            Self::Differs { .. } => "run `cargo xtask db-structure` and commit the file with the migration".into(),
        })
    }

    fn causes(&self) -> Vec<String> {
        match self {
            Self::Server(error) => error.causes(),
            Self::Layer(error) => error.causes(),
            _ => terminal::failure::chain(std::error::Error::source(self)),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Server(error) => error.exit(),
            Self::Layer(error) => error.exit(),
            Self::Differs { .. } => Exit::Violation,
            _ => Exit::Failed,
        }
    }
}

impl From<database::Error> for StructureError {
    fn from(error: database::Error) -> Self {
        LayerError::from(error).into()
    }
}

impl From<ledger::Error> for StructureError {
    fn from(error: ledger::Error) -> Self {
        LayerError::from(error).into()
    }
}
