//! Why a database was not reset.

use terminal::{Exit, Failure};

/// Why nothing was dropped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ResetError {
    #[error("the variable `DATABASE_URL` names `{0}`, which is not the development server of this project")]
    NotOurs(String),
    #[error("database `{0}` is not marked as one of development or tests")]
    NotDevelopment(String),
    #[error("dropping database `{0}` was not agreed to")]
    NoConsent(String),
    #[error("cannot ask on this terminal")]
    Terminal(#[source] std::io::Error),
}

impl Failure for ResetError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotOurs(_) => "unset it; only databases of the project's own server are reset".into(),
            Self::NotDevelopment(_) => {
                "nothing was changed; `cargo xtask db-setup` marks the databases that it makes".into()
            }
            Self::NoConsent(_) | Self::Terminal(_) => "nothing was changed; pass `--yes` to agree beforehand".into(),
        })
    }

    fn exit(&self) -> Exit {
        match self {
            Self::NotOurs(_) | Self::NoConsent(_) => Exit::Usage,
            Self::NotDevelopment(_) => Exit::Violation,
            Self::Terminal(_) => Exit::Failed,
        }
    }
}
