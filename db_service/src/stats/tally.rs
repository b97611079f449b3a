//! What became of measurements.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

/// How many there were of each, since the recorder was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Were given to a recorder.
    pub recorded: u64,
    /// Are in the table.
    pub written: u64,
    /// Found the queue full, or nobody who writes.
    pub dropped: u64,
    /// Were refused by the table.
    pub refused: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counts {
    recorded: AtomicU64,
    written: AtomicU64,
    dropped: AtomicU64,
    refused: AtomicU64,
    /// Why the last one that was not written was not.
    trouble: Mutex<Option<Arc<sqlx::Error>>>,
}

impl Counts {
    pub(super) fn recorded(&self) {
        self.recorded.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn written(&self, count: usize) {
        self.written.fetch_add(count as u64, Ordering::Relaxed);
    }

    pub(super) fn dropped(&self, count: usize) {
        self.dropped.fetch_add(count as u64, Ordering::Relaxed);
    }

    pub(super) fn refused(&self, count: usize) {
        self.refused.fetch_add(count as u64, Ordering::Relaxed);
    }

    pub(super) fn failed(&self, error: sqlx::Error) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(error));
    }

    pub(super) fn trouble(&self) -> Option<Arc<sqlx::Error>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn tally(&self) -> Tally {
        Tally {
            recorded: self.recorded.load(Ordering::Relaxed),
            written: self.written.load(Ordering::Relaxed),
            dropped: self.dropped.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
        }
    }
}
