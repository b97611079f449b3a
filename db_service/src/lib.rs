//! The performance layer of Singularity's database.
//!
//! Ecto owns the schema. This crate owns what makes it fast and can always be rebuilt: the schema `db_service`, its
//! sqlx migrations and their ledger. It is also the part that both command lines share, so that one idea has one home:
//!
//! | Module | Holds |
//! |---|---|
//! | [`database_url`] | one URL, parsed once, in the form that each tool takes |
//! | [`connection`] | connecting, and why a connection failed |
//! | [`ecto`] | Ecto's migration files against its ledger `schema_migrations` |
//! | [`migration`] | our migration files and what their headers ask for |
//! | [`migrate`] | the layer itself: [`inspect`](migrate::inspect), [`plan`](migrate::plan), [`apply`](migrate::apply) |
//! | [`relayout`] | the engine that changes how a live table is stored |
//! | [`planner`], [`adaptive`] | which leaf is too large, and splitting and merging leaves |
//! | [`concurrent_index`] | building an index beside the writers |
//! | [`audit`] | is everything in its place? |
//! | [`gate`] | the rules between the two ledgers |
//! | [`lock`] | one runner a database at a time |
//! | [`structure`] | the normal form of a dump |
//! | [`step`], [`report`], [`console`] | what is reported, and the only place that prints |
//!
//! Nothing here changes the logical schema in `public`; the engine changes how its tables are stored.
#![warn(missing_docs)]

pub mod adaptive;
pub mod audit;
pub mod concurrent_index;
pub mod connection;
pub mod console;
pub mod database_url;
pub mod ecto;
mod error;
pub mod gate;
pub mod lock;
pub mod migrate;
pub mod migration;
pub mod planner;
pub mod quote;
pub mod relayout;
pub mod report;
pub mod step;
pub mod structure;

pub use connection::ConnectError;
pub use database_url::DatabaseUrl;
pub use error::{Error, Exit, Failure};
