//! Questions about all rows, answered by several connections that read the same moment: sizes, duplicates, near-duplicates,
//! exact nearest neighbours.
//!
//! Each answer is handed over as it is found, and no more of the tables is held in memory than a function says. Who drops the
//! future of a question ends its statements.
//!
//! ```no_run
//! # async fn example(url: &database::DatabaseUrl) -> Result<(), db_service::Error> {
//! use db_service::analysis::Analysis;
//! use terminal::activity::Unwatched;
//!
//! let analysis = Analysis::new(url, &Unwatched).connections(4);
//! for size in analysis.sizes().await? {
//!     println!("{} {:?}: {} files, {} bytes", size.repository, size.language, size.files, size.bytes);
//! }
//! analysis.duplicates(|group| println!("{} times {} bytes", group.count, group.bytes)).await?;
//! # Ok(())
//! # }
//! ```

mod duplicates;
mod nearest;
mod readers;
mod similar;
mod sizes;
mod slice;

use database::DatabaseUrl;
use terminal::activity::Watcher;

pub use duplicates::{Duplicates, File, MOST_LISTED};
pub use nearest::{Among, Neighbour};
pub use readers::MOST_CONNECTIONS;
pub use similar::{Likeness, Pair, Pairs};
pub use sizes::Size;

/// What is asked, and how.
#[derive(Clone, Copy, Debug)]
pub struct Analysis<'a> {
    url: &'a DatabaseUrl,
    connections: usize,
    watcher: &'a dyn Watcher,
}

impl<'a> Analysis<'a> {
    /// Of a database, over two connections.
    #[must_use]
    pub fn new(url: &'a DatabaseUrl, watcher: &'a dyn Watcher) -> Self {
        Self { url, connections: 2, watcher }
    }

    /// Over so many connections: fewer where others of this process have theirs, see [`MOST_CONNECTIONS`], or the server has
    /// no room.
    #[must_use]
    pub fn connections(self, most: usize) -> Self {
        Self { connections: most.max(1), ..self }
    }
}
