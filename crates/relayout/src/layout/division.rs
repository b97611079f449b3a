//! By what a table is divided into leaves.

use super::shape::Shape;

/// By what a table is divided into leaves, where it is in leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Division {
    /// By the hash of a column.
    Hash {
        /// The column whose hash chooses the leaf.
        key: String,
        /// The column by which a leaf is split that one partition key fills.
        path_key: String,
    },
    /// By the week of a time.
    Weeks {
        /// The column that tells the week.
        key: String,
    },
}

impl Division {
    /// The column that chooses the leaf.
    #[must_use]
    pub fn key(&self) -> &str {
        match self {
            Self::Hash { key, .. } | Self::Weeks { key } => key,
        }
    }

    /// As the catalog has it.
    pub(super) fn method(&self) -> String {
        match self {
            Self::Hash { key, .. } => by_hash(key),
            Self::Weeks { key } => format!("RANGE {key}"),
        }
    }

    /// So many leaves of equal share, of which one is a plain table; none where leaves are weeks, of which there are as many as time
    /// wants.
    #[must_use]
    pub fn even(&self, leaves: u32) -> Option<Shape> {
        match self {
            Self::Hash { key, path_key } => Some(Shape::even(key, path_key, leaves)),
            Self::Weeks { .. } => (leaves <= 1).then_some(Shape::Plain),
        }
    }
}

/// A division by the hash of a column, as the catalog has it.
pub(super) fn by_hash(column: &str) -> String {
    format!("HASH {column}")
}
