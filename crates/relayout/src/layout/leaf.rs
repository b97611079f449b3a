//! A leaf of a partitioned table: its share of the rows, and where it lives.

use std::fmt;
use std::str::FromStr;

use database::Relation;
use serde::{Deserialize, Serialize};

/// The rows for which `hash mod modulus = remainder`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Leaf {
    /// A power of two.
    pub modulus: u32,
    /// Less than the modulus.
    pub remainder: u32,
    /// Into how many parts it is split by the hash of the path: a power of two, 1 is one table.
    #[serde(default = "one")]
    pub paths: u32,
}

fn one() -> u32 {
    1
}

impl Leaf {
    /// One table.
    #[must_use]
    pub fn new(modulus: u32, remainder: u32) -> Self {
        Self { modulus, remainder, paths: 1 }
    }

    /// Whether it takes all rows that `other` takes.
    #[must_use]
    pub fn covers(self, other: Self) -> bool {
        other.modulus.is_multiple_of(self.modulus) && other.remainder % self.modulus == self.remainder
    }

    /// Whether it takes the rows of this hash.
    #[must_use]
    pub fn takes(self, hash: u64) -> bool {
        hash % u64::from(self.modulus) == u64::from(self.remainder)
    }

    /// The leaves that take its rows in `count` equal shares.
    #[must_use]
    pub fn split(self, count: u32) -> Vec<Self> {
        let modulus = self.modulus * count;
        (0..count).map(|part| Self::new(modulus, self.remainder + part * self.modulus)).collect()
    }

    /// The schema in which every table's leaf of this share lives, under the table's own name.
    ///
    /// So an index keeps its name in each leaf, and an error that names the index is the one that Ecto expects.
    #[must_use]
    pub fn schema(self) -> String {
        match self.paths {
            1 => format!("leaf_{}_{}", self.modulus, self.remainder),
            paths => format!("leaf_{}_{}_paths_{paths}", self.modulus, self.remainder),
        }
    }

    /// The schemas of the tables that hold its rows.
    #[must_use]
    pub fn storage(self) -> Vec<String> {
        match self.paths {
            1 => vec![self.schema()],
            paths => (0..paths).map(|part| format!("{}_{part}", self.schema())).collect(),
        }
    }

    /// A table's leaf of this share.
    pub(crate) fn of(self, table: &str) -> Relation {
        Relation::new(self.schema(), table)
    }

    /// What the one above it says of it.
    pub(crate) fn bound(self) -> String {
        format!("FOR VALUES WITH (MODULUS {}, REMAINDER {})", self.modulus, self.remainder)
    }
}

/// As the command line takes it: `16/5`.
impl fmt::Display for Leaf {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.modulus, self.remainder)
    }
}

/// A text that is no leaf.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a leaf is a power of two and a smaller number, as in `16/5`")]
pub struct NoLeaf;

impl FromStr for Leaf {
    type Err = NoLeaf;

    fn from_str(text: &str) -> Result<Self, NoLeaf> {
        let (modulus, remainder) = text.split_once('/').ok_or(NoLeaf)?;
        let number = |text: &str| text.trim().parse::<u32>().map_err(|_| NoLeaf);
        let (modulus, remainder) = (number(modulus)?, number(remainder)?);
        if modulus.is_power_of_two() && remainder < modulus { Ok(Self::new(modulus, remainder)) } else { Err(NoLeaf) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_by_path_live_below_their_leaf() {
        let leaf = Leaf { paths: 2, ..Leaf::new(16, 5) };
        assert_eq!(leaf.schema(), "leaf_16_5_paths_2");
        assert_eq!(leaf.storage(), ["leaf_16_5_paths_2_0", "leaf_16_5_paths_2_1"]);
        assert_eq!(Leaf::new(16, 5).storage(), ["leaf_16_5"]);
    }

    #[test]
    fn a_leaf_is_named_by_modulus_and_remainder() {
        assert_eq!("16/5".parse(), Ok(Leaf::new(16, 5)));
        for wrong in ["16", "16/16", "12/5", "a/b", "16/-1"] {
            assert!(wrong.parse::<Leaf>().is_err(), "{wrong}");
        }
    }
}
