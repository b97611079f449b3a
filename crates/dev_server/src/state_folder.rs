//! The state folder `<root>/.dev-db/`.

use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::account::{self, Owner};
use crate::accounts::Nss;
use crate::error::Error;
use crate::file;
use crate::fingerprint;
use crate::secret::Secret;

/// A project and the names of everything that belongs to its server.
#[derive(Clone, Debug)]
pub(crate) struct StateFolder {
    /// The project's folder, absolute and without links.
    pub(crate) root: PathBuf,
    /// `<root>/.dev-db`.
    pub(crate) folder: PathBuf,
    /// Tells this project's container, port and folders from those of others.
    pub(crate) hash: String,
    /// Who owns the project.
    pub(crate) project: Owner,
}

impl StateFolder {
    /// Names the state of the project in `root`. Reads the file system, writes nothing.
    pub(crate) fn of(root: &Path) -> Result<Self, Error> {
        let inspect = |source| Error::file("find the project folder", root, source);
        let root = root.canonicalize().map_err(inspect)?;
        let project = Owner::of(&root.metadata().map_err(inspect)?);
        let text = root.to_str().ok_or_else(|| Error::NotUtf8 { path: root.clone() })?;
        Ok(Self { folder: root.join(".dev-db"), hash: fingerprint::short(text.as_bytes()), project, root })
    }

    /// The file that serialises starts and stops.
    pub(crate) fn lock(&self) -> PathBuf {
        self.folder.join("lock")
    }

    /// What is known about the server: see [`crate::record`].
    pub(crate) fn record(&self) -> PathBuf {
        self.folder.join("server.json")
    }

    /// Names the folder that the cluster lives in, where that is not the state folder itself.
    pub(crate) fn location(&self) -> PathBuf {
        self.folder.join("location")
    }

    /// The superuser's password.
    pub(crate) fn password(&self) -> PathBuf {
        self.folder.join("password")
    }

    /// The same for `psql`, so that the password is in no environment and on no command line.
    pub(crate) fn password_for_psql(&self) -> PathBuf {
        self.folder.join("pgpass")
    }

    /// The same for the container engine.
    pub(crate) fn password_for_container(&self) -> PathBuf {
        self.folder.join("container.env")
    }

    /// The owner to give to files of the state folder: the project's, when root works for somebody else.
    pub(crate) fn owner(&self) -> Option<Owner> {
        let account = account::choose(account::caller(), self.project, None, &Nss);
        account.owner().filter(|owner| owner.uid == self.project.uid)
    }

    /// Creates the state folder, which only its owner may enter.
    pub(crate) fn create(&self) -> Result<(), Error> {
        // Of several starts, one makes it. The others leave it as it is: whoever holds the lock by then may have let the
        // server's account pass through it.
        match std::fs::DirBuilder::new().mode(0o700).create(&self.folder) {
            Err(_) if self.folder.is_dir() => return Ok(()),
            outcome => outcome.map_err(|source| Error::file("create", &self.folder, source))?,
        }
        let Some(owner) = self.owner() else { return Ok(()) };
        std::os::unix::fs::lchown(&self.folder, Some(owner.uid), Some(owner.gid))
            .map_err(|source| Error::file("change the owner of", &self.folder, source))
    }

    /// Reads a file of the state folder; `None` where there is none.
    ///
    /// Such a file says where the server is and which password it takes, so one that somebody else owns or may write
    /// is refused.
    pub(crate) fn read(&self, path: &Path) -> Result<Option<String>, Error> {
        let Some(metadata) =
            file::found(path.symlink_metadata()).map_err(|source| Error::file("inspect", path, source))?
        else {
            return Ok(None);
        };
        let caller = account::caller();
        let trusted = [caller, 0].contains(&metadata.uid()) || (caller == 0 && metadata.uid() == self.project.uid);
        if !trusted || metadata.mode() & 0o022 != 0 {
            return Err(Error::Foreign { path: path.to_owned(), owner: metadata.uid(), wanted: caller });
        }
        file::read(path)
    }

    /// Writes a file of the state folder, readable for its owner alone.
    pub(crate) fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), Error> {
        file::replace(path, bytes, 0o600, self.owner())
    }

    /// The server's password, if it has one yet.
    pub(crate) fn read_password(&self) -> Result<Option<Secret>, Error> {
        let text = self.read(&self.password())?;
        Ok(text.map(|text| Secret::new(text.trim_end().to_owned())))
    }

    /// The server's password, made up at the first call.
    pub(crate) fn read_or_create_password(&self) -> Result<Secret, Error> {
        if let Some(secret) = self.read_password()? {
            return Ok(secret);
        }
        let secret = Secret::random().map_err(|source| Error::file("make up", &self.password(), source))?;
        let line = |text: String| text + "\n";
        let password = secret.expose();
        self.write(&self.password_for_psql(), line(format!("*:*:*:postgres:{password}")).as_bytes())?;
        self.write(&self.password_for_container(), line(format!("POSTGRES_PASSWORD={password}")).as_bytes())?;
        // The file that is asked for is written last: once it exists, its two siblings do.
        self.write(&self.password(), line(password.to_owned()).as_bytes())?;
        Ok(secret)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn state() -> (tempfile::TempDir, StateFolder) {
        let folder = tempfile::tempdir().unwrap();
        let state = StateFolder::of(folder.path()).unwrap();
        state.create().unwrap();
        (folder, state)
    }

    #[test]
    fn only_the_owner_may_enter() {
        let (_folder, state) = state();
        assert_eq!(state.folder.metadata().unwrap().mode() & 0o7777, 0o700);
    }

    #[test]
    fn the_password_is_made_up_once() {
        let (_folder, state) = state();
        assert_eq!(state.read_password().unwrap(), None);
        let secret = state.read_or_create_password().unwrap();
        assert_eq!(state.read_or_create_password().unwrap(), secret);
        assert_eq!(state.read_password().unwrap(), Some(secret));
        assert_eq!(state.password().metadata().unwrap().mode() & 0o7777, 0o600);
        assert_eq!(state.password_for_psql().metadata().unwrap().mode() & 0o7777, 0o600);
    }

    #[test]
    fn a_file_that_others_may_write_is_refused() {
        let (_folder, state) = state();
        state.write(&state.location(), b"/elsewhere").unwrap();
        std::fs::set_permissions(state.location(), Permissions::from_mode(0o666)).unwrap();
        assert!(matches!(state.read(&state.location()), Err(Error::Foreign { .. })));
    }

    #[test]
    fn a_link_to_the_project_is_the_same_project() {
        let (folder, state) = state();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(folder.path(), &link).unwrap();
        assert_eq!(StateFolder::of(&link).unwrap().hash, state.hash);
    }
}
