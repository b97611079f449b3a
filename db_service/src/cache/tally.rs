//! How often a cache could answer.

use std::sync::atomic::{AtomicU64, Ordering};

use super::answer::Origin;

/// Since the cache was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Answers from memory.
    pub memory: u64,
    /// Answers from the database.
    pub database: u64,
    /// Answers that were computed.
    pub tables: u64,
    /// Times that the cache itself failed.
    pub failures: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counts {
    memory: AtomicU64,
    database: AtomicU64,
    tables: AtomicU64,
    failures: AtomicU64,
}

impl Counts {
    pub(super) fn answered(&self, origin: Origin) {
        let count = match origin {
            Origin::Memory => &self.memory,
            Origin::Database => &self.database,
            Origin::Tables => &self.tables,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn failed(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn tally(&self) -> Tally {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Tally {
            memory: of(&self.memory),
            database: of(&self.database),
            tables: of(&self.tables),
            failures: of(&self.failures),
        }
    }
}
