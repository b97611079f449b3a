//! How measurements are written.

use std::time::Duration;

/// How measurements are written.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How many may wait; what comes when so many do is dropped. Each takes about 100 bytes.
    pub queue: usize,
    /// How many are written by one statement, at most.
    pub batch: usize,
    /// How long one waits for others, at most, while the table can be written to.
    pub every: Duration,
}

impl Options {
    /// 1 MB of memory at most, and a statement a second: 10,000 measurements a second are kept.
    pub const MODEST: Self = Self { queue: 10_000, batch: 1000, every: Duration::from_secs(1) };
}
