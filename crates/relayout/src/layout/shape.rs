//! How a table's rows are stored: in one plain table, or in leaves.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::leaf::Leaf;
use super::part::Part;
use super::week::Week;

/// How a table's rows are stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// One plain table.
    Plain,
    /// Hash partitioned by a column, see [`Leaf`].
    Hash {
        /// The column whose hash chooses the leaf.
        key: String,
        /// The column by which a leaf can be split that no hash of `key` can, because one value of `key` fills it.
        path_key: String,
        /// All of them, sorted: together they take every row, and none twice.
        leaves: Vec<Leaf>,
    },
    /// Range partitioned by a time, a leaf for each week, and one for what is of no week.
    Weeks {
        /// The column that tells the week.
        key: String,
        /// All of them, sorted.
        weeks: Vec<Week>,
        /// See [`Part::Rest`].
        rest: Week,
    },
}

impl Shape {
    /// `count` leaves of equal share; one leaf is a plain table.
    #[must_use]
    pub fn even(key: &str, path_key: &str, count: u32) -> Self {
        if count <= 1 {
            return Self::Plain;
        }
        Self::of(key, path_key, (0..count).map(|remainder| Leaf::new(count, remainder)).collect())
    }

    /// These leaves.
    #[must_use]
    pub fn of(key: &str, path_key: &str, mut leaves: Vec<Leaf>) -> Self {
        leaves.sort_unstable();
        Self::Hash { key: key.to_owned(), path_key: path_key.to_owned(), leaves }
    }

    /// These weeks, for a table that has this shape now: where they are others, the rest is another one as well.
    #[must_use]
    pub fn weeks(key: &str, weeks: Vec<Week>, now: &Self) -> Self {
        let last = weeks.iter().copied().max().unwrap_or(Week::new(0));
        let rest = match now {
            Self::Weeks { weeks: there, rest, .. } if *there == weeks => *rest,
            Self::Weeks { rest, .. } if *rest == last => last.later(1),
            _ => last,
        };
        Self::Weeks { key: key.to_owned(), weeks, rest }
    }

    /// Its hash leaves.
    #[must_use]
    pub fn leaves(&self) -> &[Leaf] {
        match self {
            Self::Plain | Self::Weeks { .. } => &[],
            Self::Hash { leaves, .. } => leaves,
        }
    }

    /// All leaves, of whatever kind, in the order in which they are attached; a plain table has none.
    #[must_use]
    pub fn parts(&self) -> Vec<Part> {
        match self {
            Self::Plain => Vec::new(),
            Self::Hash { leaves, .. } => leaves.iter().copied().map(Part::Share).collect(),
            // Last what takes all that no other does: or what is attached after it would have to be looked for in it.
            Self::Weeks { weeks, rest, .. } => {
                weeks.iter().copied().map(Part::Week).chain([Part::Rest(*rest)]).collect()
            }
        }
    }

    /// Those that another shape of the same table has not.
    #[must_use]
    pub fn parts_without(&self, other: &Self) -> Vec<Part> {
        let others = other.parts();
        self.parts().into_iter().filter(|part| !others.contains(part)).collect()
    }

    /// The columns that every unique constraint has to have.
    pub(crate) fn keys(&self) -> Vec<&str> {
        match self {
            Self::Plain => Vec::new(),
            Self::Hash { key, path_key, leaves } => {
                let by_path = leaves.iter().any(|leaf| leaf.paths > 1);
                std::iter::once(key.as_str()).chain(by_path.then_some(path_key.as_str())).collect()
            }
            Self::Weeks { key, .. } => vec![key],
        }
    }

    /// This shape with some hash leaves in place of others. Another one has none to replace.
    #[must_use]
    pub fn with(&self, old: &[Leaf], new: &[Leaf]) -> Self {
        match self {
            Self::Plain | Self::Weeks { .. } => self.clone(),
            Self::Hash { key, path_key, leaves } => {
                let kept = leaves.iter().filter(|leaf| !old.contains(leaf));
                Self::of(key, path_key, kept.chain(new).copied().collect())
            }
        }
    }

    /// Whether every row has a leaf to go to: PostgreSQL allows gaps.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let share = |leaf: &Leaf| 1.0 / f64::from(leaf.modulus);
        // Moduli are powers of two: the sum is exact.
        !matches!(self, Self::Hash { .. }) || self.leaves().iter().map(share).sum::<f64>() >= 1.0
    }

    /// The next layout on the way to another one: the whole of it, or one with only one group of leaves exchanged, so
    /// that no more disk is taken at a time than a second copy of that group.
    #[must_use]
    pub fn step_towards(&self, desired: &Self) -> Self {
        let (Self::Hash { key, path_key, leaves }, Self::Hash { key: other, path_key: other_path, leaves: wanted }) =
            (self, desired)
        else {
            return desired.clone();
        };
        if (key, path_key) != (other, other_path) {
            return Self::Plain;
        }
        // The coarsest leaf that is in one of the two and not in both covers a group of each.
        let differing = leaves.iter().chain(wanted).filter(|leaf| !leaves.contains(leaf) || !wanted.contains(leaf));
        let Some(group) = differing.min().copied() else { return self.clone() };
        let within = |leaves: &[Leaf]| leaves.iter().filter(|leaf| group.covers(**leaf)).copied().collect::<Vec<_>>();
        self.with(&within(leaves), &within(wanted))
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain => formatter.write_str("one plain table"),
            Self::Hash { leaves, .. } => {
                write!(formatter, "{} hash leaves", leaves.len())?;
                match leaves.iter().filter(|leaf| leaf.paths > 1).count() {
                    0 => Ok(()),
                    split => write!(formatter, ", {split} of them split by path"),
                }
            }
            Self::Weeks { weeks, .. } => match weeks.as_slice() {
                [first, .., last] => write!(formatter, "{} weekly leaves, {first} to {last}", weeks.len()),
                [only] => write!(formatter, "1 weekly leaf, {only}"),
                [] => formatter.write_str("no weekly leaves"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn even(count: u32) -> Shape {
        Shape::even("repo_name", "path", count)
    }

    #[test]
    fn one_leaf_is_a_plain_table() {
        assert_eq!(even(1), Shape::Plain);
        assert_eq!(even(1).leaves(), []);
    }

    #[test]
    fn equal_leaves_take_every_remainder_once() {
        let shape = even(16);
        let remainders: Vec<u32> = shape.leaves().iter().map(|leaf| leaf.remainder).collect();
        assert_eq!(remainders, (0..16).collect::<Vec<_>>());
        assert_eq!(shape.leaves()[3].schema(), "leaf_16_3");
        assert_eq!(shape.to_string(), "16 hash leaves");
        assert!(shape.is_complete());
        assert!(!shape.with(&[Leaf::new(16, 3)], &[]).is_complete());
    }

    #[test]
    fn more_weeks_take_another_rest() {
        let weeks = |numbers: std::ops::Range<i32>| numbers.map(Week::new).collect::<Vec<_>>();
        let first = Shape::weeks("at", weeks(2970..2972), &Shape::Plain);
        assert_eq!(first.to_string(), "2 weekly leaves, 2026-12-07 to 2026-12-14");
        assert_eq!(first.parts().last(), Some(&Part::Rest(Week::new(2971))));
        assert_eq!(Shape::weeks("at", weeks(2970..2972), &first), first);
        let more = Shape::weeks("at", weeks(2970..2973), &first);
        assert_eq!(first.parts_without(&more), [Part::Rest(Week::new(2971))]);
        assert_eq!(more.parts_without(&first), [Part::Week(Week::new(2972)), Part::Rest(Week::new(2972))]);
        assert_eq!(first.step_towards(&more), more);
        // One in between, so that the last is the same.
        let fewer = Shape::weeks("at", vec![Week::new(2971)], &Shape::Plain);
        assert_ne!(Shape::weeks("at", weeks(2970..2972), &fewer).parts().last(), fewer.parts().last());
    }

    #[test]
    fn the_way_from_leaves_to_leaves_goes_group_by_group() {
        let refined = even(4).with(&[Leaf::new(4, 1)], &Leaf::new(4, 1).split(4));
        assert_eq!(refined.leaves().len(), 7);
        assert_eq!(even(4).step_towards(&refined), refined);
        assert_eq!(refined.step_towards(&even(4)), even(4));
        let by_path = Leaf { paths: 4, ..Leaf::new(4, 2) };
        let both = refined.with(&[Leaf::new(4, 2)], &[by_path]);
        assert_eq!(even(4).step_towards(&both), refined);
        assert_eq!(refined.step_towards(&both), both);
        assert_eq!(even(4).step_towards(&even(8)).leaves().len(), 5);
        assert_eq!(even(4).step_towards(&Shape::Plain), Shape::Plain);
    }
}
