//! The benchmarks: the project's tools against the same work by hand, measured in one run on one server. The ratio is the
//! result.
//!
//! | Module | Measures |
//! |---|---|
//! | [`cache`] | answers from the cache, and what it costs writers |
//! | [`dedup`] | what is known already, and what it costs writers to know it |
//! | [`noop`] | a set-up with nothing to do |
//! | [`ingest`] | loading source files and vectors |
//! | [`relayout`] | converting live tables, under writers |
//! | [`search`] | searches, their recall, and what they cost writers |
//! | [`stats`] | writing what queries took |
//!
//! How the crates belong together, and what always holds: `docs/architecture.md`.
#![warn(missing_docs)]

pub mod cache;
pub mod dedup;
mod error;
pub mod ingest;
mod kept;
mod line;
mod load;
pub mod noop;
mod offline;
mod percentile;
pub mod relayout;
mod scratch;
pub mod search;
mod session;
pub mod stats;
mod upkeep;
mod vector;
mod vector_index;
mod watch;

pub use error::Error;
pub use scratch::SetUp;
