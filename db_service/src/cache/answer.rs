//! What a cache says.

use std::fmt;
use std::sync::Arc;

/// A result, and where it came from.
#[derive(Debug)]
pub struct Answer<T> {
    /// The result; others may hold it, too.
    pub value: Arc<T>,
    /// Where it came from.
    pub origin: Origin,
}

/// Where an answer came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It was in the memory of this process, or somebody else in it was computing it.
    Memory,
    /// It was in the database.
    Database,
    /// It was computed from the tables.
    Tables,
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Memory => "memory",
            Self::Database => "the cache in the database",
            Self::Tables => "the tables",
        })
    }
}
