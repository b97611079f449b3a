//! Reaching a PostgreSQL database, and changing it safely.
//!
//! | Module | Holds |
//! |---|---|
//! | [`url`] | a URL, parsed once, in the form that each tool takes; with a database or of a whole server |
//! | [`given`] | the URL that a command is given: typed, or in a variable |
//! | [`connection`] | connecting, and why a connection failed |
//! | [`lock`] | one runner a database at a time |
//! | [`worker`] | a connection that may change things; only who holds the lock gets one |
//! | [`change`] | a change under locks that others would wait behind |
//! | [`notices`] | what a server says besides its answers |
//! | [`side_by_side`] | several connections that work a list off |
//! | [`snapshot`] | one moment, read by several connections |
//! | [`transaction`] | every way out of a transaction ends it before anything else happens |
//! | [`retry`] | asking again: for locks in short attempts, and what a session begins with |
//! | [`relation`], [`quote`] | names, and the one place where they become SQL text |
//! | [`statement`] | what is going to be run, with its lock and its reason: printed, executed, compared |
//! | [`server`] | whether we can work on a server: its age, and whether it is a standby |
//! | [`environment`] | what a database is for: `dev`, `test` or `prod` |
//! | [`cause`] | what the server said, once |
//!
//! How the crates belong together, and what always holds: `docs/architecture.md`.
#![warn(missing_docs)]

pub mod cause;
pub mod change;
pub mod connection;
pub mod environment;
pub mod error;
pub mod given;
pub mod lock;
pub mod notices;
mod pooler;
pub mod quote;
pub mod relation;
pub mod retry;
pub mod server;
mod session;
pub mod side_by_side;
pub mod snapshot;
pub mod statement;
pub mod transaction;
pub mod url;
pub mod worker;

pub use cause::Cause;
pub use connection::ConnectError;
pub use error::Error;
pub use lock::DatabaseLock;
pub use relation::Relation;
pub use statement::Statement;
pub use url::{DatabaseUrl, ServerUrl};
pub use worker::Worker;
