//! The layouts that a table can have.

use std::fmt;

use serde::{Deserialize, Serialize};

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
        /// All of them: together they take every row, and none twice.
        leaves: Vec<Leaf>,
    },
}

/// The rows for which `hash mod modulus = remainder`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Leaf {
    /// A power of two.
    pub modulus: u32,
    /// Less than the modulus.
    pub remainder: u32,
}

impl Shape {
    /// `count` leaves of equal share; one leaf is a plain table.
    #[must_use]
    pub fn even(key: &str, count: u32) -> Self {
        if count <= 1 {
            return Self::Plain;
        }
        let leaves = (0..count).map(|remainder| Leaf { modulus: count, remainder }).collect();
        Self::Hash { key: key.to_owned(), leaves }
    }

    /// Its leaves; a plain table has none.
    #[must_use]
    pub fn leaves(&self) -> &[Leaf] {
        match self {
            Self::Plain => &[],
            Self::Hash { leaves, .. } => leaves,
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain => formatter.write_str("one plain table"),
            Self::Hash { leaves, .. } => write!(formatter, "{} hash leaves", leaves.len()),
        }
    }
}

impl Leaf {
    /// The schema in which every table's leaf of this share lives, under the table's own name.
    ///
    /// So an index keeps its name in each leaf, and an error that names the index is the one that Ecto expects.
    #[must_use]
    pub fn schema(self) -> String {
        format!("leaf_{}_{}", self.modulus, self.remainder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_leaf_is_a_plain_table() {
        assert_eq!(Shape::even("repo_name", 1), Shape::Plain);
        assert_eq!(Shape::even("repo_name", 1).leaves(), []);
    }

    #[test]
    fn equal_leaves_take_every_remainder_once() {
        let shape = Shape::even("repo_name", 16);
        let remainders: Vec<u32> = shape.leaves().iter().map(|leaf| leaf.remainder).collect();
        assert_eq!(remainders, (0..16).collect::<Vec<_>>());
        assert_eq!(shape.leaves()[3].schema(), "leaf_16_3");
        assert_eq!(shape.to_string(), "16 hash leaves");
    }
}
