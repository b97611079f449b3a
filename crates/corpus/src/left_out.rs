//! What is not loaded, counted by reason.

use std::collections::BTreeMap;
use std::fmt;

/// Why something is not loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// A file that is not UTF-8, or holds a NUL.
    NotText,
    /// A file of more bytes than [`file::LONGEST`](crate::file::LONGEST).
    TooLong,
    /// A file or a folder that cannot be read.
    Unreadable,
    /// A file whose name is not UTF-8, or holds the `#` that parts of files are named with.
    Name,
    /// A symbolic link, a socket or the like.
    NoFile,
    /// A file that lies beside the folders that are repositories.
    InNoRepository,
    /// A piece of a file that has no word in it, or whose words cancel out.
    NoWords,
    /// A vector that has no direction: it is zero, or a component is infinite or no number.
    NoDirection,
    /// A vector whose repository and path were there before.
    Twice,
}

impl Reason {
    /// For programs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NotText => "not_text",
            Self::TooLong => "too_long",
            Self::Unreadable => "unreadable",
            Self::Name => "name",
            Self::NoFile => "no_file",
            Self::InNoRepository => "in_no_repository",
            Self::NoWords => "no_words",
            Self::NoDirection => "no_direction",
            Self::Twice => "twice",
        }
    }
}

/// What was left out: `3 files`, and why.
impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NotText => "files that are not text",
            Self::TooLong => "files of more than 1 MiB",
            Self::Unreadable => "files or folders that cannot be read",
            Self::Name => "files whose name is not UTF-8 or holds a `#`",
            Self::NoFile => "links and other things that are no files",
            Self::InNoRepository => "files beside the repositories",
            Self::NoWords => "parts of files without a word",
            Self::NoDirection => "vectors without a direction (zero, infinite or not a number)",
            Self::Twice => "vectors whose repository and path were there before",
        })
    }
}

/// How many of each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftOut(BTreeMap<Reason, u64>);

impl LeftOut {
    /// One more.
    pub fn add(&mut self, reason: Reason) {
        *self.0.entry(reason).or_default() += 1;
    }

    /// Each reason that there was, with its count.
    pub fn counts(&self) -> impl Iterator<Item = (Reason, u64)> {
        self.0.iter().map(|(reason, count)| (*reason, *count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_counted_one_by_one() {
        let mut left_out = LeftOut::default();
        for reason in [Reason::TooLong, Reason::NotText, Reason::TooLong] {
            left_out.add(reason);
        }
        assert_eq!(left_out.counts().collect::<Vec<_>>(), [(Reason::NotText, 1), (Reason::TooLong, 2)]);
    }
}
