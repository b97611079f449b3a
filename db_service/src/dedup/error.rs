//! Why it cannot be said what is known.

use terminal::{Exit, Failure};

use super::damage::Damage;
use crate::refusal::{self, INSTALL};

/// By situation.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// What was asked means nothing: a hash of another length, say.
    #[error("cannot compare contents: {what}")]
    Refused {
        /// What is wrong with it.
        what: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// The database lacks functions or tables, or this role may not see them.
    #[error("cannot compare contents: this database has no functions for it")]
    NotInstalled(#[source] database::Cause),
    /// Nobody has asked for a filter.
    #[error("there is no filter of contents in this database: it is switched off")]
    Off,
    /// Triggers do not keep the filter up to date, or not yet.
    #[error("the filter of contents is not kept up to date: {why}")]
    NotKept {
        /// What keeps the triggers off, or from firing.
        why: &'static str,
    },
    /// It was not built yet, or was given up.
    #[error("the filter of contents is not built")]
    NotBuilt,
    /// What is stored of it is not what was written.
    #[error("the filter of contents cannot be used")]
    Damaged(#[source] Damage),
    /// Something else went wrong.
    #[error("cannot compare contents")]
    Failed(#[source] database::Cause),
}

refusal::refusals!(Error, refusal::PARAMETERS, refusal::COLUMNS);

impl From<Damage> for Error {
    fn from(damage: Damage) -> Self {
        Self::Damaged(damage)
    }
}

impl Failure for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Refused { hint, .. } => hint.clone(),
            Self::NotInstalled(_) => Some(INSTALL.to_owned()),
            Self::Off => Some("`migrations filters --on` has it built and kept".to_owned()),
            Self::NotKept { .. } | Self::NotBuilt => {
                Some("run `migrations`, which brings it about; until then every content is asked for".to_owned())
            }
            Self::Damaged(_) => {
                Some("`migrations filters --rebuild` builds it anew; until then every content is asked for".to_owned())
            }
            Self::Failed(cause) => cause.hint(),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Refused { .. } => Exit::Usage,
            Self::Damaged(_) => Exit::Violation,
            _ => Exit::Failed,
        }
    }
}
