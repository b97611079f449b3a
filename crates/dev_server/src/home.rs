//! The folder that a cluster lives in: the state folder, or one that the server's account may enter.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::account::{self, Account, Owner};
use crate::accounts::Nss;
use crate::error::Error;
use crate::file;
use crate::note::Note;
use crate::process;
use crate::reach;
use crate::state_folder::StateFolder;

/// Where clusters of projects are that the server's account may not enter.
const ELSEWHERE: &str = "/var/lib/singularity-dev";

/// The folder of a cluster and the names in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Home {
    /// Absolute and without links.
    pub(crate) folder: PathBuf,
}

/// A home that is worked on: by whom, and under which lock.
#[derive(Debug)]
pub(crate) struct Site<'lock> {
    pub(crate) home: Home,
    /// The account that the cluster belongs to.
    pub(crate) account: Account,
    /// The lock that keeps others away.
    pub(crate) lock: &'lock File,
}

impl Site<'_> {
    /// A command that runs in the home, as the cluster's account.
    ///
    /// It holds the lock too, by its stdin: if this program is killed, whoever comes next waits until the command has
    /// ended, and does not meet a half-dead initdb.
    pub(crate) fn command(&self, program: &Path) -> Result<Command, Error> {
        let lock =
            self.lock.try_clone().map_err(|source| Error::file("pass on the lock of", &self.home.folder, source))?;
        let mut command = process::command_as(&self.account, program, &self.home.folder);
        command.stdin(lock);
        Ok(command)
    }
}

/// The cluster's name within its home.
pub(crate) const DATA: &str = "data";
/// The cluster's name while it is initialised.
pub(crate) const PARTIAL: &str = "data.partial";
/// The log's name within the home.
pub(crate) const LOG: &str = "log";

impl Home {
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join(DATA)
    }

    pub(crate) fn partial(&self) -> PathBuf {
        self.folder.join(PARTIAL)
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.folder.join(LOG)
    }
}

/// Finds the home that a project has: where `location` points to, or the state folder. Changes nothing.
pub(crate) fn find(state: &StateFolder) -> Result<Home, Error> {
    let folder = match state.read(&state.location())? {
        Some(location) => verified(Path::new(location.trim_end()))?,
        None => state.folder.canonicalize().unwrap_or_else(|_| state.folder.clone()),
    };
    Ok(Home { folder })
}

/// The account that the project's server runs as.
pub(crate) fn account(state: &StateFolder, home: &Home) -> Account {
    let cluster = home.data().metadata().ok().map(|metadata| Owner::of(&metadata));
    account::choose(account::caller(), state.project, cluster, &Nss)
}

/// Makes sure that `account` can live in the project's home, and moves a home that has no cluster yet elsewhere if it
/// cannot.
pub(crate) fn prepare(state: &StateFolder, account: &Account, notes: &mut Vec<Note>) -> Result<Home, Error> {
    let home = find(state)?;
    let relocated = home.folder.starts_with(ELSEWHERE);
    if !relocated {
        open(&home.folder, account, state)?;
    }
    let probe = |source| Error::file("enter", &home.folder, source);
    if !account.switch || reach::may_enter(account, &home.folder).map_err(probe)? {
        return Ok(home);
    }
    if relocated || home.data().exists() {
        return Err(Error::ClusterOutOfReach { account: account.name.clone(), path: home.folder });
    }
    relocate(state, account, notes)
}

/// Only its owner may enter the folder; a system account that owns nothing in the project may pass through, and
/// neither list nor write.
fn open(folder: &Path, account: &Account, state: &StateFolder) -> Result<(), Error> {
    if account.switch && account.uid != state.project.uid {
        return file::own_folder(folder, 0o710, Some(passage(account)));
    }
    file::own_folder(folder, 0o700, state.owner())
}

fn passage(account: &Account) -> Owner {
    Owner { uid: 0, gid: account.gid }
}

fn relocate(state: &StateFolder, account: &Account, notes: &mut Vec<Note>) -> Result<Home, Error> {
    let elsewhere = Path::new(ELSEWHERE);
    fs::create_dir_all("/var/lib").map_err(|source| Error::file("create", elsewhere, source))?;
    file::own_folder(elsewhere, 0o755, None)?;
    let folder = elsewhere.join(&state.hash);
    file::own_folder(&folder, 0o710, Some(passage(account)))?;
    state.write(&state.location(), format!("{}\n", folder.display()).as_bytes())?;
    notes.push(Note::Relocated { account: account.name.clone(), home: folder.clone() });
    Ok(Home { folder })
}

/// A pointer leads only to a folder that root made for this purpose: the state folder may have been copied from
/// anywhere.
fn verified(folder: &Path) -> Result<PathBuf, Error> {
    let foreign = |owner| Error::Foreign { path: folder.to_owned(), owner, wanted: 0 };
    let metadata = folder.symlink_metadata().map_err(|source| Error::file("inspect", folder, source))?;
    let ours = folder.parent() == Some(Path::new(ELSEWHERE)) && folder.file_name().is_some();
    if !ours || !metadata.is_dir() || metadata.uid() != 0 || metadata.mode() & 0o022 != 0 {
        return Err(foreign(metadata.uid()));
    }
    Ok(folder.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_state_folder_unless_a_pointer_says_otherwise() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateFolder::of(folder.path()).unwrap();
        assert_eq!(find(&state).unwrap().folder, state.folder);
    }

    #[test]
    fn a_pointer_to_anywhere_else_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateFolder::of(folder.path()).unwrap();
        state.create().unwrap();
        for target in ["/etc", "/var/lib/singularity-dev/..", "/var/lib"] {
            state.write(&state.location(), target.as_bytes()).unwrap();
            assert!(find(&state).is_err(), "{target}");
        }
    }
}
