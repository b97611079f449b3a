//! The folder that fetched programs are kept in.

use std::fs;
use std::path::PathBuf;

use terminal::variables;

use crate::account;
use crate::accounts;
use crate::error::Error;
use crate::file;

/// What a fetch is called in it while it runs.
pub(crate) const PARTIAL: &str = "partial";

/// Where the cache of the caller is.
pub(crate) fn folder() -> Result<PathBuf, Error> {
    let caller = account::caller();
    let home = variables::home().or_else(|| accounts::home_of(caller));
    folder_of(caller, home, variables::cache_home()).ok_or(Error::NoHome { uid: caller })
}

/// The same, made if it is not there.
pub(crate) fn open() -> Result<PathBuf, Error> {
    let cache = folder()?;
    if let Some(parent) = cache.parent() {
        fs::create_dir_all(parent).map_err(|source| Error::file("create", parent, source))?;
    }
    file::own_folder(&cache, if account::caller() == 0 { 0o755 } else { 0o700 }, None)?;
    Ok(cache)
}

/// The cache of everybody for root, whose server runs as another account; otherwise the user's own.
fn folder_of(caller: u32, home: Option<PathBuf>, cache_home: Option<PathBuf>) -> Option<PathBuf> {
    if caller == 0 {
        return Some(PathBuf::from("/var/cache/singularity"));
    }
    let cache = if cfg!(target_os = "macos") {
        home.map(|home| home.join("Library/Caches"))
    } else {
        cache_home.or_else(|| home.map(|home| home.join(".cache")))
    };
    cache.map(|cache| cache.join("singularity"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_cache_is_the_users_own_or_everybodys_for_root() {
        let home = || Some(PathBuf::from("/home/a"));
        let of = |caller, home, cache_home| folder_of(caller, home, cache_home).unwrap();
        assert_eq!(of(0, home(), None), Path::new("/var/cache/singularity"));
        if cfg!(target_os = "macos") {
            assert_eq!(of(7, home(), None), Path::new("/home/a/Library/Caches/singularity"));
        } else {
            assert_eq!(of(7, home(), None), Path::new("/home/a/.cache/singularity"));
            assert_eq!(of(7, None, Some(PathBuf::from("/x"))), Path::new("/x/singularity"));
        }
        assert_eq!(folder_of(7, None, None), None);
    }
}
