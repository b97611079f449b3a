//! Why a search has no answer.

use terminal::{Exit, Failure};

/// By situation.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It means nothing: a vector of another length or of zeros, a number of rows out of bounds, vectors of several models.
    #[error("cannot search: {what}")]
    Refused {
        /// What is wrong with it.
        what: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// The database has no such functions, or this role may not see them.
    #[error("cannot search: this database has no search functions")]
    NotInstalled(#[source] database::Cause),
    /// This role may not have plans written.
    #[error("cannot show by which plans a search runs: `auto_explain` cannot be loaded or set")]
    NoPlans(#[source] database::Cause),
    /// Something else went wrong.
    #[error("cannot search")]
    Failed(#[source] database::Cause),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match database::cause::said(&error).map(|said| (said.code().to_owned(), said)) {
            // What the functions refuse, and what pgvector does not read as a vector.
            Some((code, said)) if ["22000", "22023", "22P02", "22003"].contains(&code.as_str()) => {
                Self::Refused { what: said.message().to_owned(), hint: said.hint().map(str::to_owned) }
            }
            // invalid_schema_name, undefined_function, undefined_table
            Some((code, _)) if ["3F000", "42883", "42P01"].contains(&code.as_str()) => Self::NotInstalled(error.into()),
            _ => Self::Failed(error.into()),
        }
    }
}

impl Failure for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Refused { hint, .. } => hint.clone(),
            Self::NotInstalled(_) => Some("run `migrations` first, which installs them".to_owned()),
            Self::NoPlans(_) => Some(
                "ask as a superuser, or search without `--explain`: the last line says by which way the rows were found"
                    .to_owned(),
            ),
            Self::Failed(cause) => cause.hint(),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Refused { .. } => Exit::Usage,
            _ => Exit::Failed,
        }
    }
}
