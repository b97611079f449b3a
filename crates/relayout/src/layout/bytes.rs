//! Sizes for people.

use std::fmt;

/// In the unit in which people say it.
#[derive(Clone, Copy, Debug)]
pub struct Bytes(pub u64);

impl fmt::Display for Bytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
        let (mut tenths, mut unit) = (self.0 / 100, 0);
        while tenths >= 10_000 && unit + 1 < UNITS.len() {
            tenths /= 1000;
            unit += 1;
        }
        if tenths >= 100 {
            write!(formatter, "{} {}", tenths / 10, UNITS[unit])
        } else {
            write!(formatter, "{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_said_in_a_unit_that_fits() {
        let said = |bytes| Bytes(bytes).to_string();
        assert_eq!(said(8192), "8.1 kB");
        assert_eq!(said(12_345_678), "12 MB");
        assert_eq!(said(1_300_000_000), "1.3 GB");
        assert_eq!(said(100_000_000_000), "100 GB");
    }
}
