//! Where the data of test servers lies: in memory, where that has room. They make and drop hundreds of databases, and on a
//! disk a third of the time goes into the file system.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// So much a server may take; twice that has to be free, as there are two of them.
pub(super) const MOST: u64 = 4 << 30;
const MEMORY: &str = "/dev/shm";
/// With the number of the process that it belongs to after it.
const PREFIX: &str = "singularity-suites-";

/// A folder for a server's project; what runs that were killed have left in memory is removed first.
pub(super) fn folder() -> io::Result<TempDir> {
    let folder = if has_room() {
        sweep();
        tempfile::Builder::new().prefix(&format!("{PREFIX}{}-", std::process::id())).tempdir_in(MEMORY)?
    } else {
        tempfile::tempdir()?
    };
    // The account of the server has to pass through.
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755))?;
    Ok(folder)
}

/// Whether servers may have their data in memory.
pub(super) fn has_room() -> bool {
    let least = |found: Option<u64>| found.is_some_and(|kilobytes| kilobytes << 10 >= 2 * MOST);
    least(free()) && least(available())
}

/// Of the file system in memory, in kilobytes.
fn free() -> Option<u64> {
    let output = Command::new("df").args(["-kP", MEMORY]).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    // Elsewhere it is a folder on the disk, if it is there at all.
    let line = text.lines().nth(1).filter(|line| line.ends_with(MEMORY))?;
    line.split_whitespace().nth(3)?.parse().ok()
}

/// Of the machine's memory, in kilobytes.
fn available() -> Option<u64> {
    let memory = fs::read_to_string("/proc/meminfo").ok()?;
    let line = memory.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Removes the folders of processes that are gone, and stops their servers.
fn sweep() {
    for entry in fs::read_dir(MEMORY).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let owner = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.split('-').next()?.parse::<u32>().ok());
        if owner.is_some_and(|owner| !Path::new(&format!("/proc/{owner}")).exists()) {
            drop(dev_server::stop(&entry.path()));
            // Another run may do the same.
            drop(fs::remove_dir_all(entry.path()));
        }
    }
}
