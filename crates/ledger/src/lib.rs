//! Two migration tools on one database: their files, their ledgers, and the rules between them.
//!
//! | Module | Holds |
//! |---|---|
//! | [`ecto`] | Ecto's migration files against its ledger `schema_migrations` |
//! | [`migration`] | our migration files and what their headers ask for |
//! | [`gate`] | the rules between the two ledgers; all of them pure |
//! | [`migrate`] | our migrations: [`inspect`](migrate::inspect), [`plan`](migrate::plan), [`apply`](migrate::apply) |
//! | [`history`] | when each migration was applied |
//! | [`catalog`] | what the catalog says of objects by name |
//! | [`structure`] | the normal form of a dump |
//!
//! How the crates belong together, and what always holds: `docs/architecture.md`.
#![warn(missing_docs)]

pub mod catalog;
pub mod ecto;
pub mod error;
pub mod gate;
pub mod history;
pub mod migrate;
pub mod migration;
pub mod structure;
#[cfg(test)]
mod test_support;

pub use error::Error;
