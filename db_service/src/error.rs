//! What can go wrong in the layer.

use terminal::{Exit, Failure};

/// An error of this crate: of one of those below it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A connection or a statement failed.
    #[error(transparent)]
    Database(#[from] database::Error),
    /// A migration failed, or a rule between the ledgers is broken.
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
    /// A table's layout could not be changed.
    #[error(transparent)]
    Relayout(#[from] relayout::Error),
    /// A search failed.
    #[error(transparent)]
    Search(#[from] crate::search::Error),
    /// Contents could not be compared.
    #[error(transparent)]
    Dedup(#[from] crate::dedup::Error),
}

impl Error {
    fn inner(&self) -> &dyn Failure {
        match self {
            Self::Database(error) => error,
            Self::Ledger(error) => error,
            Self::Relayout(error) => error,
            Self::Search(error) => error,
            Self::Dedup(error) => error,
        }
    }
}

impl Failure for Error {
    fn hint(&self) -> Option<String> {
        self.inner().hint()
    }

    fn causes(&self) -> Vec<String> {
        self.inner().causes()
    }

    fn exit(&self) -> Exit {
        self.inner().exit()
    }
}
