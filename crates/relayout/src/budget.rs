//! What a job may use.

/// For copying and for building indexes.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Connections that work side by side.
    pub jobs: usize,
    /// Memory of all index builds together, in megabytes. An HNSW graph that does not fit its share is built many times slower.
    pub megabytes: u32,
}

impl Budget {
    /// For a machine that others use as well: two connections, and half a gigabyte.
    pub const MODEST: Self = Self { jobs: 2, megabytes: 512 };
}
