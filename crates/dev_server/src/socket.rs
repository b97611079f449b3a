//! Where the server's Unix socket is.

use std::path::{Path, PathBuf};

use terminal::variables;

use crate::error::Error;
use crate::file;

/// The longest path of a socket: what fits `sockaddr_un` with its final zero byte.
pub(crate) const LIMIT: usize = if cfg!(target_os = "linux") { 107 } else { 103 };

/// What PostgreSQL appends to the folder, with a port of five digits.
const FILE_NAME: &str = "/.s.PGSQL.65535";

/// Chooses the folder: beside the cluster in `home`, or, where that path is too long, one named by `hash` in the first
/// of the `short` folders where it fits.
pub(crate) fn choose(home: &Path, short: &[PathBuf], hash: &str, limit: usize) -> Result<PathBuf, Error> {
    let beside = home.join("socket");
    std::iter::once(beside.clone())
        .chain(short.iter().map(|folder| folder.join(format!("singularity-dev-{hash}"))))
        .find(|folder| folder.is_absolute() && folder.as_os_str().len() + FILE_NAME.len() <= limit)
        .ok_or(Error::SocketPathTooLong { path: beside, limit })
}

/// Removes what a killed server left in its socket folder. No other server uses the folder, and its lock file would stop
/// ours as soon as another program has the number in it.
pub(crate) fn clear(folder: &Path) -> Result<(), Error> {
    let list = |source| Error::file("list", folder, source);
    for entry in std::fs::read_dir(folder).map_err(list)? {
        let entry = entry.map_err(list)?;
        if entry.file_name().as_encoded_bytes().starts_with(b".s.PGSQL.") {
            file::remove(&entry.path())?;
        }
    }
    Ok(())
}

/// The folders for a socket whose own path is too long. The caller's runtime folder is of use only to a server that
/// runs as the caller.
pub(crate) fn short_folders(runs_as_caller: bool) -> Vec<PathBuf> {
    let runtime = variables::runtime_folder().filter(|_| runs_as_caller);
    let runtime = runtime.filter(|folder| folder.is_dir());
    runtime.into_iter().chain([variables::temporary_folder(), PathBuf::from("/tmp")]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "0123456789ab";

    fn chosen(home: &str, short: &[&str], limit: usize) -> Result<PathBuf, Error> {
        let short: Vec<PathBuf> = short.iter().map(PathBuf::from).collect();
        choose(Path::new(home), &short, HASH, limit)
    }

    #[test]
    fn stays_beside_the_cluster_while_it_fits() {
        assert_eq!(chosen("/home/a/.dev-db", &["/tmp"], 107).unwrap(), Path::new("/home/a/.dev-db/socket"));
        let exact = format!("/{}", "a".repeat(107 - 1 - "/socket".len() - FILE_NAME.len()));
        assert_eq!(chosen(&exact, &[], 107).unwrap(), Path::new(&exact).join("socket"));
    }

    #[test]
    fn moves_to_the_first_short_folder_that_fits() {
        let long = format!("/{}", "a".repeat(90));
        assert_eq!(
            chosen(&long, &[&long, "/run/user/1000", "/tmp"], 107).unwrap(),
            Path::new("/run/user/1000/singularity-dev-0123456789ab")
        );
        assert_eq!(chosen(&long, &["relative", "/tmp"], 107).unwrap(), Path::new("/tmp/singularity-dev-0123456789ab"));
    }

    #[test]
    fn nowhere_is_an_error_with_the_limit() {
        let error = chosen("/aaaa/bbbb", &["/tmp"], 20).unwrap_err();
        assert!(matches!(error, Error::SocketPathTooLong { limit: 20, .. }));
    }

    #[test]
    fn a_runtime_folder_is_the_callers_own() {
        assert_eq!(short_folders(false).last().unwrap(), Path::new("/tmp"));
        assert_eq!(short_folders(false).len(), 2);
    }

    #[test]
    fn only_sockets_and_their_locks_are_cleared() {
        let folder = tempfile::tempdir().unwrap();
        for name in [".s.PGSQL.20345", ".s.PGSQL.20345.lock", "note"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        clear(folder.path()).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
