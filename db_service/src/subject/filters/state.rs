//! How the filter of contents is to be, how it is, and what is to be done about it.

use std::fmt;

use sqlx::PgConnection;

/// What there is of the filter.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is one fact of the database")]
pub struct Filter {
    /// Somebody wants it.
    pub is_wanted: bool,
    /// Triggers keep it up to date.
    pub is_kept: bool,
    /// The layout that is declared for the table has such triggers.
    pub(super) is_laid_out: bool,
    /// It was built.
    pub is_built: bool,
    /// It was built in this cluster.
    pub(super) is_here: bool,
    /// Contents that it has room for.
    pub(super) capacity: u64,
    /// Contents that it had when it was built or folded.
    pub(super) keys: u64,
    /// How long ago that was, in seconds.
    pub age: Option<u64>,
    /// Statements that have written contents since.
    pub entries: u64,
    /// Contents that they have written.
    pub logged: u64,
    /// Rows that were deleted since it was built, as far as the statistics know.
    pub(super) deleted: u64,
    /// This role may do with it what it likes.
    pub(super) is_owner: bool,
    owner: String,
}

/// So many contents in the log are read in a few milliseconds by every process that begins.
const FOLD_AT: u64 = 100_000;

/// What so few leave behind is not worth reading all rows.
const FEW_DELETED: u64 = 10_000;

/// The one thing that is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gap {
    /// Nobody wants it, or nothing keeps it up to date: it goes, with its log.
    Drop,
    /// Build it from the table.
    Build(Why),
    /// Take what was logged into what is stored.
    Fold,
}

/// Why it is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// There is none.
    Absent,
    /// It came from another cluster, whose transactions had other numbers.
    Elsewhere,
    /// It has more contents than it has room for.
    Full,
    /// It has many that are gone.
    Outdated,
}

impl Filter {
    /// What the database says.
    pub(super) async fn read(connection: &mut PgConnection) -> Result<Self, sqlx::Error> {
        let row = sqlx::query_file!("queries/content_filter.sql").fetch_one(connection).await?;
        let number = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok());
        Ok(Self {
            is_wanted: row.is_wanted,
            is_kept: row.is_wanted && row.is_in_place,
            is_laid_out: row.is_laid_out,
            is_built: row.is_built,
            is_here: row.is_here,
            capacity: number(row.capacity).unwrap_or_default(),
            keys: number(row.keys).unwrap_or_default(),
            age: number(row.age_seconds),
            entries: row.entries.unsigned_abs(),
            logged: row.logged.unsigned_abs(),
            deleted: number(row.deleted).unwrap_or_default(),
            is_owner: row.is_owner,
            owner: row.owner,
        })
    }

    /// What is to be done. Pure.
    pub(super) fn gap(&self) -> Option<Gap> {
        if !self.is_owner {
            return None;
        }
        if !self.is_kept {
            let is_gone = !self.is_built && self.entries == 0;
            return (!is_gone && !self.is_awaited()).then_some(Gap::Drop);
        }
        if !self.is_built {
            return Some(Gap::Build(Why::Absent));
        }
        if !self.is_here {
            return Some(Gap::Build(Why::Elsewhere));
        }
        if self.keys > self.capacity {
            return Some(Gap::Build(Why::Full));
        }
        if self.deleted > FEW_DELETED.max(self.keys / 10) {
            return Some(Gap::Build(Why::Outdated));
        }
        (self.logged > FOLD_AT.max(self.keys / 10)).then_some(Gap::Fold)
    }

    /// Whether it comes as soon as triggers keep it up to date.
    pub(super) fn is_awaited(&self) -> bool {
        self.is_owner && self.is_wanted && self.is_laid_out && !self.is_kept
    }

    /// What would let this role do what is wanted, where it cannot.
    pub(super) fn closed(&self) -> Option<String> {
        (!self.is_owner && self.is_wanted && !self.is_built)
            .then(|| format!("`GRANT {} TO CURRENT_ROLE`, by an administrator", self.owner))
    }
}

impl Gap {
    /// What was being done, if it fails.
    pub(super) fn doing(self) -> &'static str {
        match self {
            Self::Drop => "drop the filter of contents",
            Self::Build(_) => "build the filter of contents",
            Self::Fold => "fold the filter of contents",
        }
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Drop => formatter.write_str("to be dropped"),
            Self::Build(why) => write!(formatter, "to be built{why}"),
            Self::Fold => formatter.write_str("what was written since is to be taken in"),
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Absent => "",
            Self::Elsewhere => " anew: it comes from another cluster",
            Self::Full => " anew, larger: it is full",
            Self::Outdated => " anew: much of what it has is gone",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready() -> Filter {
        Filter {
            is_wanted: true,
            is_kept: true,
            is_laid_out: true,
            is_built: true,
            is_here: true,
            capacity: 3_000_000,
            keys: 2_000_000,
            age: Some(7),
            entries: 3,
            logged: 200_000,
            deleted: 200_000,
            is_owner: true,
            owner: "owner".into(),
        }
    }

    #[test]
    fn what_is_ready_is_left_alone() {
        assert_eq!(ready().gap(), None);
    }

    #[test]
    fn what_nobody_wants_goes_with_its_log() {
        let unwanted = Filter { is_wanted: false, is_kept: false, ..ready() };
        assert_eq!(unwanted.gap(), Some(Gap::Drop));
        assert_eq!(Filter { is_built: false, ..unwanted.clone() }.gap(), Some(Gap::Drop));
        assert_eq!(Filter { is_built: false, entries: 0, ..unwanted }.gap(), None);
        // One plain table again.
        assert_eq!(Filter { is_kept: false, is_laid_out: false, ..ready() }.gap(), Some(Gap::Drop));
    }

    #[test]
    fn what_triggers_will_keep_waits_for_them() {
        let awaited = Filter { is_kept: false, is_built: false, ..ready() };
        assert!(awaited.is_awaited() && awaited.gap().is_none());
        assert!(!ready().is_awaited());
    }

    #[test]
    fn it_is_built_where_it_cannot_be_gone_on_with() {
        let build = |why| Some(Gap::Build(why));
        assert_eq!(Filter { is_built: false, is_here: false, ..ready() }.gap(), build(Why::Absent));
        assert_eq!(Filter { is_here: false, ..ready() }.gap(), build(Why::Elsewhere));
        assert_eq!(Filter { capacity: 1_999_999, ..ready() }.gap(), build(Why::Full));
        assert_eq!(Filter { deleted: 200_001, ..ready() }.gap(), build(Why::Outdated));
        let small = Filter { keys: 10, logged: 0, capacity: 100_000, deleted: FEW_DELETED, ..ready() };
        assert_eq!(small.gap(), None);
    }

    #[test]
    fn much_that_was_written_is_folded() {
        assert_eq!(Filter { logged: 200_001, ..ready() }.gap(), Some(Gap::Fold));
        assert_eq!(Filter { keys: 10, logged: FOLD_AT, deleted: 0, ..ready() }.gap(), None);
    }

    #[test]
    fn who_is_not_the_owner_is_told() {
        let others = Filter { is_owner: false, is_built: false, ..ready() };
        assert_eq!(others.gap(), None);
        assert_eq!(others.closed().unwrap(), "`GRANT owner TO CURRENT_ROLE`, by an administrator");
        assert_eq!(Filter { is_owner: false, ..ready() }.closed(), None);
    }
}
