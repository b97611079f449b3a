//! Our migration files, and what their headers ask for.

mod error;
mod header;
mod set;

pub use error::MigrationFileError;
pub use header::Header;
pub use set::{LAYER, LEDGER, Migrations, SCHEMA};
