//! Memory as PostgreSQL's settings write it: in units of 1024.

use std::fmt;

const MB: u64 = 1 << 20;
const GB: u64 = 1 << 30;

/// `512MB`, `16GB`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting(pub(super) u64);

impl fmt::Display for Setting {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.0;
        if bytes.is_multiple_of(GB) && bytes > 0 || bytes >= 10 * GB {
            write!(formatter, "{}GB", bytes / GB)
        } else if bytes >= MB {
            write!(formatter, "{}MB", bytes / MB)
        } else {
            write!(formatter, "{}kB", bytes / 1024)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_written_as_settings_are() {
        assert_eq!(Setting(128 * MB).to_string(), "128MB");
        assert_eq!(Setting(4 * GB).to_string(), "4GB");
        assert_eq!(Setting(4 * GB + 1).to_string(), "4096MB");
        assert_eq!(Setting(25 * GB + 7 * MB).to_string(), "25GB");
        assert_eq!(Setting(64 * 1024).to_string(), "64kB");
    }
}
