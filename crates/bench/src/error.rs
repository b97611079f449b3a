//! What can keep from measuring.

use database::environment::Environment;
use terminal::{Exit, Failure};

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is nothing to compare with.
    #[error("cannot measure: sqlx-cli, which the result is compared with, is not installed")]
    NothingToCompare,
    /// Something that is measured did not work.
    #[error("cannot measure: {0}")]
    Failed(&'static str),
    /// The scratch database is somebody's.
    #[error("cannot measure: database `{database}` is there and marked as `{environment}`, not as `test`")]
    NotOurs {
        /// Which.
        database: &'static str,
        /// Its mark; an unmarked one counts as production.
        environment: Environment,
    },
    /// The runtime did not start.
    #[error("cannot start the runtime")]
    Runtime(#[source] std::io::Error),
    /// The database that was named is in use.
    #[error("database `{0}` counts as production: it is marked so, or has no mark")]
    Production(String),
    /// The rows could not be read or loaded.
    #[error(transparent)]
    Corpus(#[from] corpus::Error),
    /// Searches could not be calibrated.
    #[error(transparent)]
    Search(#[from] db_service::search::Error),
    /// Contents could not be compared.
    #[error(transparent)]
    Dedup(#[from] db_service::dedup::Error),
    /// A connection or a statement failed.
    #[error(transparent)]
    Database(#[from] database::Error),
}

impl From<database::ConnectError> for Error {
    fn from(error: database::ConnectError) -> Self {
        Self::Database(error.into())
    }
}

impl Failure for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NothingToCompare => {
                Some("run `cargo install sqlx-cli --no-default-features --features postgres,rustls,sqlx-toml`".into())
            }
            Self::Failed(_) => Some(
                "run the commands by hand to see why: `cargo xtask db-setup`, `mix ecto.migrate`, `sqlx migrate run`"
                    .into(),
            ),
            Self::NotOurs { database, .. } => Some(format!(
                "a benchmark drops only what a benchmark has made: rename that database, or drop it yourself with `DROP DATABASE {database}`"
            )),
            Self::Production(_) => Some(
                "nothing was changed: name one that `cargo xtask db-setup --environment dev --database-url <URL>` has set up".into(),
            ),
            Self::Corpus(error) => error.hint(),
            Self::Search(error) => error.hint(),
            Self::Dedup(error) => error.hint(),
            Self::Runtime(_) => None,
            Self::Database(error) => error.hint(),
        }
    }

    fn causes(&self) -> Vec<String> {
        match self {
            Self::Corpus(error) => error.causes(),
            Self::Search(error) => error.causes(),
            Self::Dedup(error) => error.causes(),
            Self::Database(error) => error.causes(),
            _ => terminal::failure::chain(std::error::Error::source(self)),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::NotOurs { .. } | Self::Production(_) => Exit::Violation,
            Self::Corpus(error) => error.exit(),
            Self::Search(error) => error.exit(),
            Self::Dedup(error) => error.exit(),
            Self::Database(error) => error.exit(),
            _ => Exit::Failed,
        }
    }
}
