//! Durations, for people and for JSON.

use std::fmt;
use std::time::Duration;

/// A duration for people: `41 ms`, `2.3 s`.
#[derive(Clone, Copy, Debug)]
pub struct Elapsed(pub Duration);

impl fmt::Display for Elapsed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < Duration::from_secs(1) {
            write!(formatter, "{} ms", self.0.as_millis())
        } else {
            write!(formatter, "{:.1} s", self.0.as_secs_f64())
        }
    }
}

/// Milliseconds with a fraction, as `--json` gives every duration.
#[must_use]
pub fn as_milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_the_unit_that_fits() {
        assert_eq!(Elapsed(Duration::from_micros(41_900)).to_string(), "41 ms");
        assert_eq!(Elapsed(Duration::from_millis(2340)).to_string(), "2.3 s");
        assert!((as_milliseconds(Duration::from_nanos(1_500_400)) - 1.5).abs() < f64::EPSILON);
    }
}
