//! How much a filter was good for.

use std::sync::atomic::{AtomicU64, Ordering};

/// Of contents, since the process began to ask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Told from the filter alone: they are not stored.
    pub spared: u64,
    /// Asked for, and stored.
    pub known: u64,
    /// Asked for in vain, since the filter took them for stored.
    pub in_vain: u64,
    /// Asked for in vain while there was no filter.
    pub without_filter: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counts {
    spared: AtomicU64,
    known: AtomicU64,
    in_vain: AtomicU64,
    without_filter: AtomicU64,
}

impl Counts {
    pub(super) fn spared(&self, contents: usize) {
        self.spared.fetch_add(contents as u64, Ordering::Relaxed);
    }

    pub(super) fn asked(&self, contents: usize, known: usize, filtered: bool) {
        let in_vain = if filtered { &self.in_vain } else { &self.without_filter };
        in_vain.fetch_add(contents.saturating_sub(known) as u64, Ordering::Relaxed);
        self.known.fetch_add(known as u64, Ordering::Relaxed);
    }

    pub(super) fn tally(&self) -> Tally {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Tally {
            spared: of(&self.spared),
            known: of(&self.known),
            in_vain: of(&self.in_vain),
            without_filter: of(&self.without_filter),
        }
    }
}
