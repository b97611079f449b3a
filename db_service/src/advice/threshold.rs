//! From when on something is advised, and where each figure comes from.

use std::time::Duration;

/// What the layer is made for: files and vectors of so many bytes, searches that are to take less than this, so many at once. Below all
/// three one plain table with one vector index does.
pub const LARGE: u64 = 100_000_000_000;
/// See [`LARGE`].
pub const WANTED: Duration = Duration::from_millis(50);
/// See [`LARGE`].
pub const USERS: u32 = 10;

/// Where comparing everything takes no longer than [`WANTED`], no index is needed at all, however many ask.
pub const EXACT_VECTORS: u64 = 10_000;
/// Comparing one vector takes so many tenths of a microsecond: inline, as leaves have it, and out of line, as a plain table has it.
/// Measured on two cores with 25,700 real vectors.
pub const COMPARED_INLINE: u64 = 15;
/// See [`COMPARED_INLINE`].
pub const COMPARED_OUT_OF_LINE: u64 = 50;

/// What a search reads of an HNSW index, whatever its size: 500 to 1,000 pages, at random. Where they are not in memory, each is a
/// read of 80 µs from a fast disk, and these alone are 48 ms.
pub const PAGES_A_SEARCH: u64 = 600;
/// See [`PAGES_A_SEARCH`].
pub const READ_MICROSECONDS: u64 = 80;

/// Hundredths of the memory that `shared_buffers` begins with, and that it hardly gains above. PostgreSQL's manual, "Resource
/// Consumption".
pub const BUFFERS: (u64, u64) = (25, 40);
/// Hundredths of the memory that hold files, `shared_buffers` included: what `effective_cache_size` is to say.
pub const CACHE: u64 = 75;
/// Hundredths of the memory that index builds may take together, as long as the server has other work.
pub const FOR_BUILDS: u64 = 25;
/// What `shared_buffers` is where nobody has set it: it says nothing of the machine.
pub const DEFAULT_BUFFERS: u64 = 128 << 20;
/// Memory of the largest machines that are ordinary. Where more is needed, several are.
pub const LARGEST_MACHINE: u64 = 1 << 40;

/// What is answered sooner is not worth keeping: to look a result up takes 0.2 ms.
pub const WORTH_CACHING: Duration = Duration::from_millis(1);
/// Searches of which the statistics are a table that is better kept in parts by time, so that old ones go without a DELETE.
pub const MANY_STATISTICS: u64 = 10_000_000;

/// The least pgvector that builds HNSW indexes with several processes, and the least whose builds stay within their memory
/// (CVE-2026-3172, 0.6.0 to 0.8.1).
pub const PARALLEL_BUILDS: Version = Version(0, 6, 0);
/// See [`PARALLEL_BUILDS`].
pub const SAFE_BUILDS: Version = Version(0, 8, 2);
/// The least whose HNSW indexes survive vacuum and inserts side by side (0.8.3), and are repaired by it (0.8.4).
pub const SOUND: Version = Version(0, 8, 4);
/// The least that can read on in an index past rows that do not qualify.
pub const READS_ON: Version = Version(0, 8, 0);

/// A version of three numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32, pub u32);

impl Version {
    /// Its parallel builds write beyond their memory.
    #[must_use]
    pub fn builds_unsafely(self) -> bool {
        (PARALLEL_BUILDS..SAFE_BUILDS).contains(&self)
    }

    /// The numbers of `0.8.6`; none where it is no such text.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        let mut numbers = text.split(['.', '-', '+']).map(str::parse::<u32>);
        let mut next = || numbers.next().transpose().ok().flatten();
        Some(Self(next()?, next()?, next().unwrap_or_default()))
    }
}

/// How long it takes to compare so many vectors.
pub(super) fn compared(vectors: u64, is_inline: bool) -> Duration {
    let tenths = if is_inline { COMPARED_INLINE } else { COMPARED_OUT_OF_LINE };
    Duration::from_micros(vectors.saturating_mul(tenths) / 10)
}

/// So many hundredths of something.
pub(super) fn hundredths(of: u64, share: u64) -> u64 {
    of / 100 * share + of % 100 * share / 100
}

/// Memory as one would set it: in steps of 256 MB.
pub(super) fn rounded(memory: u64) -> u64 {
    memory.next_multiple_of(256 << 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        assert_eq!(Version::of("0.8.6"), Some(Version(0, 8, 6)));
        assert_eq!(Version::of("0.9"), Some(Version(0, 9, 0)));
        assert!(Version::of("0.10.0") > Version::of("0.8.4"));
        assert_eq!(Version::of("1.2.3-beta"), Some(Version(1, 2, 3)));
        assert_eq!((Version::of(""), Version::of("newest")), (None, None));
    }

    #[test]
    fn as_many_as_are_compared_at_once_take_what_a_search_may() {
        assert_eq!(compared(EXACT_VECTORS, false), WANTED);
    }

    #[test]
    fn pages_that_are_not_in_memory_are_the_time_of_a_search() {
        assert_eq!(PAGES_A_SEARCH * READ_MICROSECONDS, 48_000);
    }
}
