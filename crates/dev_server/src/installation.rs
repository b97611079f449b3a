//! The programs of one PostgreSQL, and where its files are.

use std::path::{Path, PathBuf};

use crate::account::Account;
use crate::kind::Kind;
use crate::process::{self, ProgramFailure};
use crate::rejection::Reason;
use crate::version::{self, Version};

/// One PostgreSQL on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Installation {
    pub(crate) kind: Kind,
    pub(crate) version: Version,
    /// Where `postgres`, `initdb` and `pg_ctl` are.
    pub(crate) bin: PathBuf,
    /// Where `extension/` is.
    pub(crate) share: PathBuf,
    /// Where loadable libraries are.
    pub(crate) library: PathBuf,
}

/// The suffix of loadable libraries.
#[cfg(target_os = "macos")]
pub(crate) const LIBRARY_SUFFIX: &str = "dylib";
/// The suffix of loadable libraries.
#[cfg(not(target_os = "macos"))]
pub(crate) const LIBRARY_SUFFIX: &str = "so";

impl Installation {
    /// Whether `CREATE EXTENSION vector` would find pgvector.
    pub(crate) fn has_vector(&self) -> bool {
        self.share.join("extension/vector.control").is_file()
    }
}

/// Looks at the PostgreSQL in `bin`: its version, as told to `account`, and its folders.
pub(crate) fn examine(kind: Kind, bin: &Path, account: &Account) -> Result<Installation, (Option<Version>, Reason)> {
    let mut postgres = process::command_as(account, bin.join("postgres"), Path::new("/"));
    let answer = process::stdout(postgres.arg("--version")).map_err(|failure| (None, refusal(&failure, account)))?;
    let version = version::parse(&answer).ok_or((None, Reason::DoesNotRun))?;
    let folders = folders(bin, &version);
    let Some((share, library)) = folders else {
        return Err((Some(version), Reason::Incomplete));
    };
    Ok(Installation { kind, version, bin: bin.to_owned(), share, library })
}

/// The shared files and the libraries of the PostgreSQL in `bin`.
///
/// Its own `pg_config` knows; Debian and Nix ship that in a package of its own, and then the usual places are looked
/// at. The one on PATH is of no use here: it may belong to another installation.
fn folders(bin: &Path, version: &Version) -> Option<(PathBuf, PathBuf)> {
    let asked = pg_config(bin, "--sharedir").zip(pg_config(bin, "--pkglibdir"));
    asked.filter(|(share, library)| is_share(share) && is_library(library)).or_else(|| {
        let above = bin.parent()?;
        let debian = PathBuf::from(format!("/usr/share/postgresql/{}", version.major));
        let shares = [above.join("share/postgresql"), above.join("share"), debian];
        let libraries = [above.join("lib/postgresql"), above.join("lib"), above.join("lib64/postgresql")];
        let share = shares.into_iter().find(|share| is_share(share))?;
        let library = libraries.into_iter().find(|library| is_library(library))?;
        Some((share, library))
    })
}

fn is_share(folder: &Path) -> bool {
    folder.join("postgres.bki").is_file()
}

fn is_library(folder: &Path) -> bool {
    folder.join(format!("plpgsql.{LIBRARY_SUFFIX}")).is_file()
}

fn pg_config(bin: &Path, what: &str) -> Option<PathBuf> {
    let program = bin.join("pg_config");
    if !program.is_file() {
        return None;
    }
    let answer = process::stdout(process::command(program, Path::new("/")).arg(what)).ok()?;
    Some(PathBuf::from(answer.trim_end_matches('\n')))
}

fn refusal(failure: &ProgramFailure, account: &Account) -> Reason {
    match failure {
        ProgramFailure::NotStarted { source, .. } if source.kind() == std::io::ErrorKind::PermissionDenied => {
            Reason::OutOfReach { account: account.name.clone() }
        }
        _ => Reason::DoesNotRun,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::account::{self, Owner};
    use crate::accounts::Nss;

    fn fake(answer: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let bin = folder.path().join("bin");
        fs::create_dir(&bin).unwrap();
        fs::write(bin.join("postgres"), format!("#!/bin/sh\necho '{answer}'\n")).unwrap();
        fs::set_permissions(bin.join("postgres"), fs::Permissions::from_mode(0o755)).unwrap();
        (folder, bin)
    }

    fn account() -> Account {
        account::choose(account::caller(), Owner { uid: 0, gid: 0 }, None, &Nss)
    }

    #[test]
    fn the_usual_places_are_found_without_pg_config() {
        let (folder, bin) = fake("postgres (PostgreSQL) 17.2");
        fs::create_dir_all(folder.path().join("share/postgresql/extension")).unwrap();
        fs::create_dir_all(folder.path().join("lib")).unwrap();
        fs::write(folder.path().join("share/postgresql/postgres.bki"), "").unwrap();
        fs::write(folder.path().join(format!("lib/plpgsql.{LIBRARY_SUFFIX}")), "").unwrap();
        let installation = examine(Kind::Local, &bin, &account()).unwrap();
        assert_eq!(installation.version.text, "17.2");
        assert_eq!(installation.library, folder.path().join("lib"));
        assert!(!installation.has_vector());
        fs::write(folder.path().join("share/postgresql/extension/vector.control"), "").unwrap();
        assert!(installation.has_vector());
    }

    #[test]
    fn a_program_without_its_files_is_incomplete() {
        let (_folder, bin) = fake("postgres (PostgreSQL) 99.1");
        let (version, reason) = examine(Kind::Local, &bin, &account()).unwrap_err();
        assert_eq!((version.unwrap().major, reason), (99, Reason::Incomplete));
    }

    #[test]
    fn something_else_does_not_run() {
        let (_folder, bin) = fake("hello");
        assert_eq!(examine(Kind::Local, &bin, &account()).unwrap_err(), (None, Reason::DoesNotRun));
    }
}
