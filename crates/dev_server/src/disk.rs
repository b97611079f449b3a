//! Recognises a full disk.

use std::path::Path;

/// Below this PostgreSQL cannot write its next WAL segment (16 MiB).
const ONE_WAL_SEGMENT: u64 = 16 * 1024 * 1024;

/// Whether a program that printed `output` failed because the disk that holds `folder` is full.
///
/// It may have been unable to write its reason, so the free space is asked for too.
pub(crate) fn is_full(output: &str, folder: &Path) -> bool {
    output.contains("No space left on device") || free_space(folder).is_some_and(|bytes| bytes < ONE_WAL_SEGMENT)
}

fn free_space(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    Some(disk.f_bavail * disk.f_frsize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_read_from_the_output() {
        let output = "initdb: error: could not write: No space left on device";
        assert!(is_full(output, Path::new("/nowhere/at/all")));
    }

    #[test]
    fn another_failure_is_another() {
        assert!(!is_full("initdb: error: invalid locale name", Path::new("/nowhere/at/all")));
    }
}
