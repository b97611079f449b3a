//! What can go wrong between two migration tools.

use database::Cause;
use database::cause::sql_state;
use terminal::{Exit, Failure, Finding, finding};

use crate::ecto::FileError;
use crate::gate::Violation;
use crate::migration::MigrationFileError;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A connection or a statement failed.
    #[error(transparent)]
    Database(#[from] database::Error),
    /// A migration failed; its transaction was rolled back.
    #[error("cannot apply migration `{name}` to database `{database}`")]
    Migration {
        /// The file's name without `.sql`.
        name: String,
        /// Where.
        database: String,
        /// What the server said.
        #[source]
        source: Cause,
    },
    /// Rules are broken.
    #[error("database `{database}` breaks the order of the layers")]
    Broken {
        /// Where.
        database: String,
        /// All of them.
        findings: Vec<Finding>,
    },
    /// Our own migration files are wrong.
    #[error("cannot use the migrations of the performance layer")]
    MigrationFiles(#[from] MigrationFileError),
    /// Ecto's migration files are wrong.
    #[error("cannot use the Ecto migrations")]
    EctoFiles(#[from] FileError),
}

impl Error {
    /// For `map_err`: rules that are broken in a database.
    pub fn broken(database: &str) -> impl FnOnce(Vec<Violation>) -> Self + use<> {
        let database = database.to_owned();
        move |violations| Self::Broken { database, findings: violations.into_iter().map(Finding::from).collect() }
    }
}

/// A relation, a schema, a function or a type is there, and no row of the ledger says why.
fn is_there_already(source: &Cause) -> bool {
    let state = source.sql().and_then(sql_state);
    matches!(state.as_deref(), Some("42P07" | "42P06" | "42723" | "42710"))
}

const FROM_A_DUMP: &str = "the layer's objects are there and its ledger does not know them, as in a database that was loaded from a dump of one \
                           that has the layer: `DROP SCHEMA db_service CASCADE`, then run the same command again; and dump before the layer is \
                           there, or by `cargo xtask db-structure`";

impl Failure for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Database(error) => error.hint(),
            Self::Migration { source, .. } if is_there_already(source) => Some(FROM_A_DUMP.into()),
            Self::Migration { source, .. } if source.sql().is_some() => source
                .hint()
                .or_else(|| Some("nothing of it was kept; mend the cause and run the same command again".into())),
            Self::Migration { .. } => None,
            Self::Broken { findings, .. } => finding::help(findings),
            Self::MigrationFiles(error) => error.hint(),
            Self::EctoFiles(error) => error.hint(),
        }
    }

    fn causes(&self) -> Vec<String> {
        match self {
            Self::Database(error) => error.causes(),
            Self::Broken { findings, .. } => findings.iter().map(Finding::to_string).collect(),
            _ => terminal::failure::chain(std::error::Error::source(self)),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Database(error) => error.exit(),
            Self::Broken { .. } => Exit::Violation,
            Self::Migration { source, .. } if source.is_forbidden() => Exit::Violation,
            Self::MigrationFiles(error) if error.is_violation() => Exit::Violation,
            Self::EctoFiles(error) if error.is_violation() => Exit::Violation,
            _ => Exit::Failed,
        }
    }
}
