//! How far a job can have come.

use std::fmt;

/// How far a job has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// It is in the journal.
    Planned,
    /// The empty new form is there.
    Shadow,
    /// Writers log the keys that they change.
    Capturing,
    /// Rows are being copied.
    Backfilling,
    /// Indexes are being built.
    Indexing,
    /// The log is being drained, and the lock for the swap asked for.
    CatchingUp,
    /// The new form has taken the table's place; both are being compared.
    Swapped,
    /// They were found equal.
    Verified,
    /// The old form is gone.
    Cleaned,
    /// It was given up before the swap, and what it had made is gone.
    Abandoned,
}

impl Phase {
    /// All of them, in order; the last one is beside the way.
    pub const ALL: [Self; 10] = [
        Self::Planned,
        Self::Shadow,
        Self::Capturing,
        Self::Backfilling,
        Self::Indexing,
        Self::CatchingUp,
        Self::Swapped,
        Self::Verified,
        Self::Cleaned,
        Self::Abandoned,
    ];

    /// As the journal has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Shadow => "shadow",
            Self::Capturing => "capturing",
            Self::Backfilling => "backfilling",
            Self::Indexing => "indexing",
            Self::CatchingUp => "catching_up",
            Self::Swapped => "swapped",
            Self::Verified => "verified",
            Self::Cleaned => "cleaned",
            Self::Abandoned => "abandoned",
        }
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.name() == name)
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phase_is_read_back_as_it_was_written() {
        for phase in Phase::ALL {
            assert_eq!(Phase::parse(phase.name()), Some(phase));
        }
        assert_eq!(Phase::parse("nowhere"), None);
    }
}
