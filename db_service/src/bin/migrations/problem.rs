//! What can go wrong that is not the library's.

use db_service::Error;
use relayout::layout::Leaf;
use terminal::{Exit, Failure};

#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    #[error("no database is named")]
    NoUrl,
    #[error("the database URL names no database")]
    NoDatabase,
    #[error("database `{database}` does not have the performance layer")]
    NoLayer { database: String },
    #[error("the performance layer of database `{database}` is from before there were weekly leaves")]
    NoWeeks { database: String },
    #[error("the performance layer lays out no table `{name}`")]
    UnknownTable { name: String, known: String },
    #[error("table `{table}` has no leaf `{leaf}`")]
    UnknownLeaf { table: String, leaf: Leaf, leaves: String },
    #[error("table `{table}` has nothing to merge into leaf `{leaf}`")]
    NothingToMerge { table: String, leaf: Leaf, leaves: String },
    #[error("table `{table}` is laid out by `{key}`")]
    DividedOtherwise { table: String, key: String },
    #[error("table `{table}` is laid out by the week, not in {leaves} leaves of equal share")]
    InWeeks { table: String, leaves: u32 },
    #[error("copying the rows of whole leaves or tables was not agreed to")]
    NoConsent,
    #[error("cannot ask on this terminal")]
    Terminal(#[source] std::io::Error),
    #[error("no vector is stored for path `{path}`{}", repository.as_ref().map(|name| format!(" in repository `{name}`")).unwrap_or_default())]
    UnknownPath { path: String, repository: Option<String> },
    #[error("`{holder}` holds no vector")]
    NoVector {
        holder: String,
        #[source]
        cause: serde_json::Error,
    },
    #[error("cannot read `{file}`")]
    Unreadable {
        file: String,
        #[source]
        cause: std::io::Error,
    },
    #[error(transparent)]
    Search(#[from] db_service::search::Error),
    #[error(transparent)]
    Answers(#[from] db_service::answers::Error),
    #[error("interrupted")]
    Interrupted,
    #[error(transparent)]
    Layer(#[from] Error),
}

impl From<database::Error> for Problem {
    fn from(error: database::Error) -> Self {
        Self::Layer(error.into())
    }
}

impl From<database::ConnectError> for Problem {
    fn from(error: database::ConnectError) -> Self {
        database::Error::from(error).into()
    }
}

impl From<ledger::Error> for Problem {
    fn from(error: ledger::Error) -> Self {
        Self::Layer(error.into())
    }
}

impl From<relayout::Error> for Problem {
    fn from(error: relayout::Error) -> Self {
        Self::Layer(error.into())
    }
}

impl Failure for Problem {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NoUrl => {
                Some("set DATABASE_URL, or pass `--database-url postgres://user:password@host:5432/database`".into())
            }
            Self::NoDatabase => Some("end the URL in `/<database>`".into()),
            Self::NoLayer { .. } | Self::NoWeeks { .. } => {
                Some("nothing was changed; run `migrations` without a command first".into())
            }
            Self::UnknownTable { known, .. } => Some(format!("it lays out {known}")),
            Self::UnknownLeaf { leaves, .. } => Some(format!("it has {leaves}")),
            Self::NothingToMerge { leaves, .. } => {
                Some(format!("name the leaf that several of these become: {leaves}; `revert` makes one plain table"))
            }
            Self::DividedOtherwise { .. } | Self::InWeeks { .. } => Some(
                "nothing was changed; `migrations layout` shows how it is, `migrations revert` makes one plain table"
                    .into(),
            ),
            Self::NoConsent => Some("nothing was changed; pass `--yes` to agree beforehand".into()),
            Self::Terminal(_) => Some("pass `--yes`".into()),
            Self::Interrupted => Some("nothing is lost; the next run finishes the work".into()),
            Self::UnknownPath { .. } => {
                Some("list what is stored: `SELECT repo_name, path FROM embeddings ORDER BY 1, 2`".into())
            }
            Self::NoVector { .. } => Some("a vector is a JSON list of 768 numbers: `[0.1, -0.2, …]`".into()),
            Self::Unreadable { .. } => None,
            Self::Search(error) => error.hint(),
            Self::Answers(error) => error.hint(),
            Self::Layer(error) => error.hint(),
        }
    }

    fn causes(&self) -> Vec<String> {
        match self {
            Self::Search(error) => error.causes(),
            Self::Answers(error) => error.causes(),
            Self::Layer(error) => error.causes(),
            _ => terminal::failure::chain(std::error::Error::source(self)),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::NoUrl
            | Self::NoDatabase
            | Self::UnknownTable { .. }
            | Self::UnknownLeaf { .. }
            | Self::NothingToMerge { .. }
            | Self::DividedOtherwise { .. }
            | Self::InWeeks { .. }
            | Self::UnknownPath { .. }
            | Self::NoVector { .. }
            | Self::Unreadable { .. }
            | Self::NoConsent => Exit::Usage,
            Self::Terminal(_) => Exit::Failed,
            Self::Search(error) => error.exit(),
            Self::Answers(error) => error.exit(),
            Self::Interrupted => Exit::Interrupted,
            Self::NoLayer { .. } | Self::NoWeeks { .. } => Exit::Violation,
            Self::Layer(error) => error.exit(),
        }
    }
}
