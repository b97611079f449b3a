//! The bits of a filter.

use std::fmt;
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::sync::atomic::{AtomicU64, Ordering};

use fastbloom::AtomicBloomFilter;
use sha2::{Digest as _, Sha256};

/// Keys that were put in, and perhaps others. Filled by many at once; nothing is ever taken out.
pub(crate) struct Bloom {
    /// A key is a hash already, of which nobody can foresee the bits: it is not hashed once more.
    bits: AtomicBloomFilter<BuildHasherDefault<DefaultHasher>>,
    /// How many keys it has room for.
    capacity: u64,
    /// How many it has, about: those that were not in it when they came.
    keys: AtomicU64,
}

/// Hashes for each key, and bits for each of those that there is room for: 0.9 % are taken for known though they are not, where
/// it is full.
const HASHES: u32 = 7;
const TENTHS_OF_BITS: u64 = 99;

/// It costs no more to have room for so many at least, 123 kB.
const LEAST: u64 = 100_000;

impl Bloom {
    /// An empty one.
    pub(crate) fn with_room_for(capacity: u64) -> Self {
        let capacity = capacity.max(LEAST);
        let words = usize::try_from((capacity * TENTHS_OF_BITS).div_ceil(10 * 64)).unwrap_or(usize::MAX);
        Self::of_words(vec![0; words], HASHES, capacity, 0)
    }

    pub(super) fn of_words(words: Vec<u64>, hashes: u32, capacity: u64, keys: u64) -> Self {
        let bits = AtomicBloomFilter::from_vec(words).hasher(BuildHasherDefault::default()).hashes(hashes);
        Self { bits, capacity, keys: AtomicU64::new(keys) }
    }

    pub(crate) fn insert(&self, key: u64) {
        if !self.bits.insert_hash(key) {
            self.keys.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Keys as the log has them, eight bytes each.
    pub(crate) fn insert_all(&self, keys: &[u8]) {
        keys.as_chunks().0.iter().for_each(|key| self.insert(u64::from_be_bytes(*key)));
    }

    /// False: it was never put in.
    pub(crate) fn may_hold(&self, key: u64) -> bool {
        self.bits.contains_hash(key)
    }

    pub(crate) fn capacity(&self) -> u64 {
        self.capacity
    }

    pub(crate) fn keys(&self) -> u64 {
        self.keys.load(Ordering::Relaxed)
    }

    pub(super) fn hashes(&self) -> u32 {
        self.bits.num_hashes()
    }

    pub(super) fn words(&self) -> impl ExactSizeIterator<Item = u64> {
        self.bits.as_slice().iter().map(|word| word.load(Ordering::Relaxed))
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bits.num_bits() as u64 / 8
    }

    /// Which share of its bits is set.
    pub(crate) fn fill(&self) -> f64 {
        let set: u64 = self.words().map(|word| u64::from(word.count_ones())).sum();
        share(set, 8 * self.bytes())
    }

    /// Which share of what it does not have it would take for known, by how many bits are set.
    pub(crate) fn estimated(&self) -> f64 {
        self.fill().powi(self.hashes().cast_signed())
    }

    /// The same, counted: of keys that nobody has put in, since they are made up here.
    pub(crate) fn measured(&self) -> f64 {
        const ASKED: u64 = 1_000_000;
        let taken = made_up().take(1_000_000).filter(|key| self.may_hold(*key)).count();
        share(taken as u64, ASKED)
    }
}

/// Keys that differ in all of their bits, the same each time (splitmix64).
pub(crate) fn made_up() -> impl Iterator<Item = u64> {
    (1..).map(|number: u64| {
        let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    })
}

/// Which bits belong to a key is the library's affair, and may be another's in another version of it. So what it does to some
/// keys is written down beside the bits, and compared.
pub(super) fn rules() -> [u8; 8] {
    let probe = Bloom::of_words(vec![0; 16], HASHES, LEAST, 0);
    made_up().take(32).for_each(|key| probe.insert(key));
    let mut hash = Sha256::new();
    probe.words().for_each(|word| hash.update(word.to_le_bytes()));
    let hash: [u8; 32] = hash.finalize().into();
    hash.as_chunks().0[0]
}

#[expect(clippy::cast_precision_loss, reason = "a share is shown with a few digits")]
fn share(part: u64, of: u64) -> f64 {
    part as f64 / of.max(1) as f64
}

impl fmt::Debug for Bloom {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = formatter.debug_struct("Bloom");
        text.field("capacity", &self.capacity).field("keys", &self.keys()).field("bytes", &self.bytes());
        text.finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_in_is_held_and_of_the_rest_less_than_a_hundredth() {
        let bloom = Bloom::with_room_for(0);
        // Others than those that are made up.
        let keys = || made_up().map(|key| key.rotate_left(17)).take(100_000);
        keys().for_each(|key| bloom.insert(key));
        assert!(keys().all(|key| bloom.may_hold(key)));
        assert!((99_000..=100_000).contains(&bloom.keys()), "{}", bloom.keys());
        assert!(8 * bloom.bytes() <= 10 * bloom.capacity());
        let (estimated, measured) = (bloom.estimated(), bloom.measured());
        assert!((0.008..0.01).contains(&estimated) && (0.008..0.01).contains(&measured), "{estimated} {measured}");
    }

    #[test]
    fn an_empty_one_holds_nothing() {
        let bloom = Bloom::with_room_for(1_000_000);
        assert_eq!((bloom.keys(), bloom.capacity()), (0, 1_000_000));
        assert!(bloom.fill() < f64::EPSILON && bloom.measured() < f64::EPSILON);
    }

    #[test]
    fn keys_come_as_the_log_has_them() {
        let bloom = Bloom::with_room_for(0);
        bloom.insert_all(&[0x0102_0304_0506_0708_u64.to_be_bytes(), 9_u64.to_be_bytes()].concat());
        assert!(bloom.may_hold(0x0102_0304_0506_0708) && bloom.may_hold(9) && !bloom.may_hold(1));
        bloom.insert(9);
        assert_eq!(bloom.keys(), 2);
    }

    /// Filters that are stored somewhere were made by these: where they change, so does `FORM` in `written`.
    #[test]
    fn the_rules_are_those_of_what_is_stored() {
        assert_eq!(rules().map(|byte| format!("{byte:02x}")).concat(), "68d68973af5b9a2d");
    }
}
