//! Why an answer cannot be looked for or stored.

use terminal::{Exit, Failure};

use crate::refusal::{self, INSTALL};

/// By situation.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It means nothing: a vector of another length or of zeros, a distance out of bounds.
    #[error("cannot look for an answer: {what}")]
    Refused {
        /// What is wrong with it.
        what: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// The database lacks the functions, or this role may not see them.
    #[error("cannot look for an answer: this database has no functions for it")]
    NotInstalled(#[source] database::Cause),
    /// Something else went wrong.
    #[error("cannot look for an answer")]
    Failed(#[source] database::Cause),
}

refusal::refusals!(Error, refusal::VECTORS, refusal::FUNCTIONS);

impl Failure for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Refused { hint, .. } => hint.clone(),
            Self::NotInstalled(_) => Some(INSTALL.to_owned()),
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
