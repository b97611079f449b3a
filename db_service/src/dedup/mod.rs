//! What need not be done again: files that have not changed, and contents that are known from another repository.
//!
//! Whoever indexes a repository once more asks for all of it at once, and is told what to do as a value:
//!
//! ```no_run
//! # async fn example(pool: sqlx::PgPool, files: Vec<(String, Vec<u8>)>) -> Result<(), db_service::dedup::Error> {
//! use db_service::dedup::{ContentHash, Kept, Repository};
//!
//! let stored = Repository::read(&pool, "tokio", Kept::Files).await?;
//! let changes = stored.compare(files.iter().map(|(path, content)| (path, ContentHash::of(content))));
//! println!("{} unchanged, {} to write, {} gone", changes.unchanged, changes.to_write().count(), changes.gone.len());
//! # Ok(())
//! # }
//! ```
//!
//! Whoever imports what is new asks which of its contents are stored, in whatever repository, so that their vectors need not be
//! computed. The answer is exact. Where the database keeps a filter (`migrations filters --on`), most of what is not stored is
//! told from it without a question:
//!
//! ```no_run
//! # async fn example(pool: sqlx::PgPool, files: Vec<(String, Vec<u8>)>) -> Result<(), db_service::dedup::Error> {
//! use std::time::Duration;
//!
//! use db_service::dedup::{ContentHash, KnownContents};
//!
//! let contents = KnownContents::new(pool, Duration::ZERO);
//! let known = contents.known(files.iter().map(|(_, content)| ContentHash::of(content))).await?;
//! println!("{} contents are known already; {:?}", known.len(), contents.tally());
//! # Ok(())
//! # }
//! ```
//!
//! A filter never decides what is written: that does the unique index, by `INSERT … ON CONFLICT`. What it rests on, and what it
//! costs who writes: `docs/deduplication.md`.

mod bloom;
mod build;
mod changes;
mod copied;
mod damage;
mod error;
mod filter;
mod hash;
mod measured;
mod repository;
mod stored;
mod tally;
mod written;

pub use changes::Changes;
pub use damage::Damage;
pub use error::Error;
pub use filter::{KnownContents, View};
pub use hash::{ContentHash, WrongLength};
pub use measured::{Measured, measure};
pub use repository::{Kept, Repository};
pub use tally::Tally;

pub(crate) use build::{build, fold};
pub(crate) use measured::compare;
