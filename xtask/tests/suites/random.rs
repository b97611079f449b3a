//! Chance that is the same each time.

/// Numbers that look like chance, the same for the same seed: xorshift64.
pub(crate) struct Random(u64);

impl Random {
    /// Seeds next to each other give numbers far from each other.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}
