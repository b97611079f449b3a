//! What goes on: the words in which work is told while it lasts. Whoever works knows neither terminal nor console.

use std::fmt;

/// Is told when work begins.
pub trait Watcher: fmt::Debug {
    /// Work has begun; `label` says on what. It ends when what is given back is dropped.
    fn began(&self, label: &str) -> Box<dyn Activity + '_>;
}

/// Work that goes on, phase by phase.
pub trait Activity: fmt::Debug {
    /// The next phase, in a word or two: `copying`, `waiting for older transactions`.
    fn phase(&self, name: &str, count: Option<Count>);
    /// So much more of the phase's count is done.
    fn advanced(&self, by: u64);
    /// So much of the phase's count is left, which may be more than it was.
    fn left(&self, left: u64);
}

/// Nobody is told.
#[derive(Clone, Copy, Debug)]
pub struct Unwatched;

impl Watcher for Unwatched {
    fn began(&self, _label: &str) -> Box<dyn Activity + '_> {
        Box::new(Self)
    }
}

impl Activity for Unwatched {
    fn phase(&self, _name: &str, _count: Option<Count>) {}
    fn advanced(&self, _by: u64) {}
    fn left(&self, _left: u64) {}
}

/// What a phase counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// Of what.
    pub unit: Unit,
    /// Done by earlier runs.
    pub done: u64,
    /// All of them.
    pub total: u64,
    /// The total is an estimate.
    pub is_about: bool,
}

/// Things that are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Rows of a table.
    Rows,
    /// Bytes of files.
    Bytes,
    /// Indexes and keys.
    Indexes,
    /// Entries of a change log.
    Entries,
    /// Statements.
    Statements,
}

impl Count {
    /// A total that is known.
    #[must_use]
    pub fn of(unit: Unit, total: u64) -> Self {
        Self { unit, done: 0, total, is_about: false }
    }

    /// A total that is estimated, of which earlier runs have done a part.
    #[must_use]
    pub fn about(unit: Unit, done: u64, total: u64) -> Self {
        Self { unit, done, total, is_about: true }
    }
}

impl Unit {
    /// Whether so many of them go by in a second that their rate tells something.
    #[must_use]
    pub fn is_fine(self) -> bool {
        matches!(self, Self::Rows | Self::Bytes | Self::Entries)
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Rows => "rows",
            Self::Bytes => "bytes",
            Self::Indexes => "indexes",
            Self::Entries => "entries",
            Self::Statements => "statements",
        })
    }
}
