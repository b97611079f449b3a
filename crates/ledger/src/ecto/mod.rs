//! Ecto's migration files against its ledger.

mod files;
mod state;

pub use files::{FileError, Files};
pub use state::{EctoState, Ledger, inspect};
