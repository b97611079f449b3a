//! What may be wrong with a filter that was stored.

/// Why it is not used: what it says would perhaps not be so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// Pieces are missing, or one is there that does not belong to it.
    #[error("{found} of its {wanted} pieces are there")]
    Pieces {
        /// How many there are.
        found: usize,
        /// How many there should be.
        wanted: usize,
    },
    /// Something else is stored in its place.
    #[error("what is stored does not begin as a filter of ours")]
    Foreign,
    /// A newer version of this program has written it.
    #[error("it is written in form {0}, which a newer version of this program has made")]
    Newer(u32),
    /// Its length is not what its head says.
    #[error("it has {found} bytes, and should have {wanted}")]
    Length {
        /// How many there are.
        found: u64,
        /// How many there should be.
        wanted: u64,
    },
    /// A bit, at least, is another one.
    #[error("its checksum is another one")]
    Checksum,
    /// Its bits were set by other rules than we would look for them.
    #[error("it was made by another version of the hash")]
    OtherHash,
    /// Its head and the database's word for it are of different builds.
    #[error("its head is of another build")]
    OtherEpoch,
    /// It came here by a dump. A transaction has another number here, so that it cannot be told which it holds.
    #[error("it was built in another database cluster")]
    Elsewhere,
}
