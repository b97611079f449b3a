//! The relayout engine: changes how a live table is stored, and nothing else about it.
//!
//! What is exchanged is the whole table (from a plain one to leaves, and back), or some of its leaves by others that take
//! the same rows: a split, a merge, a split by path. The way is the same, with other things at its ends.
//!
//! | Module | Holds |
//! |---|---|
//! | [`layout`] | layouts: which there are, which a table has and should have, what the way takes, which leaf to split |
//! | `table` | a table's definition, what was made from it, and one file for each obstacle to changing it |
//! | `job` | a job: its journal, its phases, its relations |
//! | `phase` | one file a phase, in order, and the machine that goes through them |
//! | [`engine`] | taking a job through its phases |
//! | [`preview`] | what it would run |
//! | [`kinds`] | every kind of thing that can hang on a table, and what becomes of it |
//! | [`kept`] | the layer's own triggers on tables in leaves |
//! | [`preflight`] | what stands against it |
//! | [`adaptive`] | splitting and merging leaves |
//! | [`old_weeks`] | dropping leaves of weeks that are over |
//! | [`concurrent_index`] | building an index beside the writers |
//! | [`audit`] | is everything in its place? |
//!
//! How the crates belong together, and what always holds: `docs/architecture.md`.
#![warn(missing_docs)]

pub mod adaptive;
pub mod audit;
mod batch;
mod brake;
mod budget;
pub mod change_log;
mod comparison;
pub mod concurrent_index;
mod drain;
pub mod engine;
pub mod error;
mod job;
pub mod kept;
mod key_order;
pub mod kinds;
pub mod layout;
pub mod old_weeks;
mod pace;
mod phase;
pub mod preflight;
pub mod preview;
mod pursuit;
mod stale;
mod table;
mod vacuum;
mod workers;

pub use brake::Braked;
pub use budget::Budget;
pub use engine::Engine;
pub use error::Error;
pub use job::Phase;
