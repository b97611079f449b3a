//! The lock that makes concurrent starts and stops one after the other.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::error::Error;
use crate::progress::Progress;

/// Takes the lock `path`, waiting for whoever has it; dropping the file, or dying, releases it.
///
/// `waiting` is said once if there is somebody to wait for.
pub(crate) fn acquire(path: &Path, waiting: &str, progress: Progress<'_>) -> Result<File, Error> {
    let lock = |source| Error::file("lock", path, source);
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path).map_err(lock)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            progress(waiting);
            file.lock().map_err(lock)?;
        }
        Err(TryLockError::Error(source)) => return Err(lock(source)),
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn the_second_waits_and_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let said = Mutex::new(Vec::new());
        let first = acquire(&path, "waiting", &|_| ()).unwrap();
        std::thread::scope(|scope| {
            let second = scope.spawn(|| acquire(&path, "waiting", &|step| said.lock().unwrap().push(step.to_owned())));
            while said.lock().unwrap().is_empty() {
                std::thread::yield_now();
            }
            drop(first);
            second.join().unwrap().unwrap();
        });
        assert_eq!(*said.lock().unwrap(), ["waiting"]);
    }
}
