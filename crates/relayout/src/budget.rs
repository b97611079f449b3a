//! What a job may use.

use std::time::Duration;

/// For copying, for building indexes, and for keeping up with writers.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Connections that work side by side.
    pub jobs: usize,
    /// Memory of all index builds together, in megabytes. An HNSW graph that does not fit its share is built many times slower.
    pub megabytes: u32,
    /// How long a writer may be made to sleep after a row, if the log cannot be drained as fast as it grows; zero forbids it.
    pub brake: Duration,
}

impl Budget {
    /// For a machine that others use as well: two connections, half a gigabyte, and a twentieth of a second.
    pub const MODEST: Self = Self { jobs: 2, megabytes: 512, brake: Duration::from_millis(50) };
}
