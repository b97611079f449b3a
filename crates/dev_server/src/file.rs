//! Files and folders whose owner and mode matter.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use crate::account::Owner;
use crate::error::Error;

/// Writes `bytes` to `path` as a whole: a reader sees the old content or the new one, and a kill leaves one of them.
///
/// The new file is created exclusively and renamed, so it follows no link that somebody else put there.
pub(crate) fn replace(path: &Path, bytes: &[u8], mode: u32, owner: Option<Owner>) -> Result<(), Error> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(format!(".{}.partial", std::process::id()));
    let partial = Path::new(&partial);
    let written = write_new(partial, bytes, mode, owner).and_then(|()| std::fs::rename(partial, path));
    written.map_err(|source| {
        // The failure to report is the first one; a leftover is only litter.
        let _ = std::fs::remove_file(partial);
        Error::file("write", path, source)
    })
}

/// Opens a file for appending, creating it with `mode` for `owner` if it is missing.
pub(crate) fn append(path: &Path, mode: u32, owner: Option<Owner>) -> Result<File, Error> {
    let opened = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(mode)
        .custom_flags(no_follow())
        .open(path)
        .and_then(|file| give(&file, owner).map(|()| file));
    opened.map_err(|source| Error::file("open", path, source))
}

/// Reads a file that must not be a link; `None` where there is none.
pub(crate) fn read(path: &Path) -> Result<Option<String>, Error> {
    let opened = OpenOptions::new().read(true).custom_flags(no_follow()).open(path);
    let text = opened.and_then(|mut file| {
        let mut text = String::new();
        file.read_to_string(&mut text).map(|_| text)
    });
    found(text).map_err(|source| Error::file("read", path, source))
}

/// Makes sure that `path` is a folder of `owner` (`None`: the caller) with `mode`, creating it if it is missing.
///
/// A link, a file, or a folder of another user is refused: it could be a trap in a shared place like `/tmp`.
pub(crate) fn own_folder(path: &Path, mode: u32, owner: Option<Owner>) -> Result<(), Error> {
    match DirBuilder::new().mode(mode).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(Error::file("create", path, error));
        }
        _ => {}
    }
    let metadata = std::fs::symlink_metadata(path).map_err(|source| Error::file("inspect", path, source))?;
    let caller = crate::account::caller();
    let wanted = owner.map_or(caller, |owner| owner.uid);
    if !metadata.is_dir() || (metadata.uid() != wanted && metadata.uid() != caller) {
        return Err(Error::Foreign { path: path.to_owned(), owner: metadata.uid(), wanted });
    }
    let gid = owner.map_or(metadata.gid(), |owner| owner.gid);
    if (metadata.uid(), metadata.gid()) != (wanted, gid) {
        std::os::unix::fs::lchown(path, Some(wanted), Some(gid))
            .map_err(|source| Error::file("change the owner of", path, source))?;
    }
    if metadata.mode() & 0o7777 != mode {
        std::fs::set_permissions(path, Permissions::from_mode(mode))
            .map_err(|source| Error::file("change the mode of", path, source))?;
    }
    Ok(())
}

/// Removes a folder with everything in it; one that is not there is fine.
pub(crate) fn remove_folder(path: &Path) -> Result<(), Error> {
    found(std::fs::remove_dir_all(path)).map(drop).map_err(|source| Error::file("remove", path, source))
}

/// Removes a file; one that is not there is fine.
pub(crate) fn remove(path: &Path) -> Result<(), Error> {
    found(std::fs::remove_file(path)).map(drop).map_err(|source| Error::file("remove", path, source))
}

/// Turns "not found" into `None`.
pub(crate) fn found<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn write_new(path: &Path, bytes: &[u8], mode: u32, owner: Option<Owner>) -> io::Result<()> {
    // Only a killed process with our own number can have left one.
    found(std::fs::remove_file(path))?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    give(&file, owner)?;
    file.write_all(bytes)
}

fn give(file: &File, owner: Option<Owner>) -> io::Result<()> {
    owner.map_or(Ok(()), |owner| std::os::unix::fs::fchown(file, Some(owner.uid), Some(owner.gid)))
}

fn no_follow() -> i32 {
    rustix::fs::OFlags::NOFOLLOW.bits().cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().mode() & 0o7777
    }

    #[test]
    fn replacing_keeps_no_partial_and_sets_the_mode() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        replace(&path, b"one", 0o600, None).unwrap();
        replace(&path, b"two", 0o600, None).unwrap();
        assert_eq!(read(&path).unwrap().as_deref(), Some("two"));
        assert_eq!(mode(&path), 0o600);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_missing_file_reads_as_none_and_a_link_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("link");
        assert_eq!(read(&link).unwrap(), None);
        std::os::unix::fs::symlink("/etc/passwd", &link).unwrap();
        assert!(read(&link).is_err());
        assert!(append(&link, 0o600, None).is_err());
    }

    #[test]
    fn a_folder_is_created_and_its_mode_mended() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("own");
        own_folder(&path, 0o700, None).unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        own_folder(&path, 0o700, None).unwrap();
        assert_eq!(mode(&path), 0o700);
    }

    #[test]
    fn a_link_is_no_folder_of_ours() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(folder.path(), &link).unwrap();
        assert!(matches!(own_folder(&link, 0o700, None), Err(Error::Foreign { .. })));
    }
}
