//! How a table's rows are stored: in one plain table, or in hash leaves.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::leaf::Leaf;

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

    /// Its leaves; a plain table has none.
    #[must_use]
    pub fn leaves(&self) -> &[Leaf] {
        match self {
            Self::Plain => &[],
            Self::Hash { leaves, .. } => leaves,
        }
    }

    /// The columns that every unique constraint has to have.
    pub(crate) fn keys(&self) -> Vec<&str> {
        match self {
            Self::Plain => Vec::new(),
            Self::Hash { key, path_key, leaves } => {
                let by_path = leaves.iter().any(|leaf| leaf.paths > 1);
                std::iter::once(key.as_str()).chain(by_path.then_some(path_key.as_str())).collect()
            }
        }
    }

    /// This shape with some leaves in place of others. A plain table has none to replace.
    #[must_use]
    pub fn with(&self, old: &[Leaf], new: &[Leaf]) -> Self {
        match self {
            Self::Plain => Self::Plain,
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
        matches!(self, Self::Plain) || self.leaves().iter().map(share).sum::<f64>() >= 1.0
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
