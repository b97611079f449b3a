//! Why a search has no answer.

use terminal::{Exit, Failure};

use crate::refusal::{self, INSTALL};

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

refusal::refusals!(Error, refusal::VECTORS, refusal::FUNCTIONS);

impl Failure for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Refused { hint, .. } => hint.clone(),
            Self::NotInstalled(_) => Some(INSTALL.to_owned()),
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
