//! What queries took: written to `rag_performance_stats` in batches, and summed up.
//!
//! Whoever measures gives a [`Measurement`] to a [`Recorder`], which never waits and never fails: a bounded queue takes it, or it
//! is dropped and counted. A [`Writer`] takes what has come together and writes it with one statement. Searches do not notice
//! whether the table can be written to.
//!
//! ```no_run
//! # async fn example(url: &database::DatabaseUrl, vector: Vec<f32>) -> Result<(), db_service::search::Error> {
//! use db_service::search::{self, Query, Scope};
//! use db_service::stats;
//!
//! let (recorder, writer) = stats::recorder(stats::Options::MODEST);
//! let writing = tokio::spawn(writer.run(url.clone()));
//! let pool = search::pool(url, 10);
//! let query = Query::new(vector, Scope::Everywhere);
//! let hits = search::recorded(&recorder, &query, search::search(&pool, &query)).await?;
//! println!("{} hits", hits.len());
//! // When nobody can record any more, the rest is written.
//! drop(recorder);
//! if let Ok(tally) = writing.await {
//!     println!("{} written, {} dropped", tally.written, tally.dropped);
//! }
//! # Ok(())
//! # }
//! ```

mod measurement;
mod options;
mod recorder;
mod summary;
mod tally;
mod writer;

use std::sync::Arc;

use tokio::sync::mpsc;

use tally::Counts;

pub use measurement::Measurement;
pub use options::Options;
pub use recorder::Recorder;
pub use summary::{Figures, Summary, summary};
pub use tally::Tally;
pub use writer::Writer;

/// What takes measurements, and what writes them.
///
/// # Panics
/// If the queue has no room at all.
#[must_use]
pub fn recorder(options: Options) -> (Recorder, Writer) {
    let (sender, receiver) = mpsc::channel(options.queue);
    let counts = Arc::new(Counts::default());
    (Recorder::new(sender, Arc::clone(&counts)), Writer::new(receiver, counts, options))
}
