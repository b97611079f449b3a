//! The performance layer of Singularity's database.
//!
//! Ecto owns the schema. This crate owns what makes it fast and can always be rebuilt: the schema `db_service`, and the
//! subjects that converge to what is declared there. The crates below it know nothing of Singularity:
//!
//! | Crate | Holds |
//! |---|---|
//! | [`terminal`] | what programs say: steps, findings, errors, exit codes, one JSON document; knows no SQL |
//! | [`database`] | reaching a database and changing it safely: URL, connection, lock, worker, retry |
//! | [`ledger`] | two migration tools on one database: files, ledgers, and the rules between them |
//! | [`relayout`] | the engine that changes how a live table is stored |
//!
//! And here:
//!
//! | Module | Holds |
//! |---|---|
//! | [`layer`] | the layer as a whole: [`inspect`](layer::inspect), [`plan`](layer::plan), [`apply`](layer::apply) |
//! | [`subject`] | what converges, in order; each with `inspect`, `plan` and `apply`. A new one is a file there and a line in its list |
//! | [`advice`] | what a database would be better for: the layer, which parts of it, memory, another machine |
//! | [`analysis`] | questions about all rows, answered by several connections: sizes, duplicates, near-duplicates, true neighbours |
//! | [`answers`] | what language models have said, found again by the same prompt or by one close in meaning |
//! | [`cache`] | results that hold as long as the rows they were computed from do not change |
//! | [`maintenance`] | what is due now and then: folds, rotations, pruning, memory after a restart |
//! | [`dedup`] | what need not be done again: unchanged files, and contents that are known already |
//! | [`search`] | similar code, in one repository or across all of them |
//! | [`stats`] | what queries took: written in batches, and summed up |
//! | [`status`] | what a database is, in lines |
//! | [`sizing`] | bytes, memory and time that so many vectors take |
//! | [`ecto_files`] | the Ecto migrations that existed when this was built |
//!
//! How the crates belong together, and what always holds: `docs/architecture.md`.
#![warn(missing_docs)]

pub mod advice;
pub mod analysis;
pub mod answers;
pub mod cache;
pub mod dedup;
pub mod ecto_files;
pub mod error;
mod interval;
pub mod layer;
pub mod maintenance;
mod refusal;
pub mod search;
pub mod sizing;
pub mod stats;
pub mod status;
pub mod subject;

pub use error::Error;
