//! What stops a layer.

use terminal::{Exit, Failure};

use super::bootstrap::error::ExtensionError;
use super::ecto::error::EctoError;

/// An error of any layer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LayerError {
    #[error("cannot create database `{database}`")]
    CreateDatabase {
        database: String,
        #[source]
        source: database::Cause,
    },
    #[error(transparent)]
    Extension(#[from] ExtensionError),
    #[error(transparent)]
    Ecto(#[from] EctoError),
    #[error(transparent)]
    Service(#[from] db_service::Error),
}

impl From<database::Error> for LayerError {
    fn from(error: database::Error) -> Self {
        Self::Service(error.into())
    }
}

impl From<database::ConnectError> for LayerError {
    fn from(error: database::ConnectError) -> Self {
        database::Error::from(error).into()
    }
}

impl From<ledger::Error> for LayerError {
    fn from(error: ledger::Error) -> Self {
        Self::Service(error.into())
    }
}

impl Failure for LayerError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::CreateDatabase { source, .. } => source.hint(),
            Self::Extension(error) => Some(error.hint()),
            Self::Ecto(error) => error.hint(),
            Self::Service(error) => error.hint(),
        }
    }

    fn causes(&self) -> Vec<String> {
        match self {
            Self::Service(error) => error.causes(),
            _ => terminal::failure::chain(std::error::Error::source(self)),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::CreateDatabase { .. } => Exit::Failed,
            Self::Extension(error) => error.exit(),
            Self::Ecto(error) => error.exit(),
            Self::Service(error) => error.exit(),
        }
    }
}
