//! Takes measurements, and never waits.

use std::sync::Arc;

use tokio::sync::mpsc::Sender;

use super::measurement::Measurement;
use super::tally::{Counts, Tally};

/// To be cloned for all who measure. The writer ends when the last one is dropped.
#[derive(Clone, Debug)]
pub struct Recorder {
    sender: Sender<Measurement>,
    counts: Arc<Counts>,
}

impl Recorder {
    pub(super) fn new(sender: Sender<Measurement>, counts: Arc<Counts>) -> Self {
        Self { sender, counts }
    }

    /// Has it written some time. Where the queue is full, or nobody writes any more, it is dropped and counted.
    pub fn record(&self, measurement: Measurement) {
        self.counts.recorded();
        if self.sender.try_send(measurement).is_err() {
            self.counts.dropped(1);
        }
    }

    /// What became of all that were recorded, so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.counts.tally()
    }

    /// What the table, or the way to it, answered last where it did not take something.
    #[must_use]
    pub fn trouble(&self) -> Option<Arc<sqlx::Error>> {
        self.counts.trouble()
    }
}
