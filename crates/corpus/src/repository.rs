//! Which folders are repositories, and their names.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use semver::Version;
use terminal::variables;

use crate::error::Error;
use crate::left_out::{LeftOut, Reason};

/// A folder of source files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// `repo_name` of its rows.
    pub name: String,
    /// Where it is.
    pub folder: PathBuf,
}

/// The repositories of a folder, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repositories {
    /// In the order of their names, none twice.
    pub all: Vec<Repository>,
    /// What lies beside them.
    pub left_out: LeftOut,
}

impl Repositories {
    /// One, under a name of the caller's.
    #[must_use]
    pub fn one(name: &str, folder: &Path) -> Self {
        let all = vec![Repository { name: name.to_owned(), folder: folder.to_owned() }];
        Self { all, left_out: LeftOut::default() }
    }

    /// The crates whose sources Cargo has unpacked on this machine, of all registries.
    ///
    /// # Errors
    /// [`Error::NoRegistry`] if there are none, [`Error::Folder`].
    pub fn in_registry() -> Result<Self, Error> {
        let sources = variables::cargo_home().map(|home| home.join("registry/src")).ok_or(Error::NoRegistry(None))?;
        if !sources.is_dir() {
            return Err(Error::NoRegistry(Some(sources)));
        }
        let (mut folders, mut left_out) = (Vec::new(), LeftOut::default());
        for registry in folders_in(&sources, &mut left_out)? {
            folders.extend(folders_in(&registry, &mut left_out)?);
        }
        if folders.is_empty() {
            return Err(Error::NoRegistry(Some(sources)));
        }
        Ok(Self { all: named(&folders), left_out })
    }

    /// Those of a folder: the folder itself where it is a Git checkout or has no folder in it, else each folder directly
    /// beneath. Hidden ones are none.
    ///
    /// # Errors
    /// [`Error::Folder`].
    pub fn in_folder(folder: &Path) -> Result<Self, Error> {
        // Absolute: `.` has no name.
        let folder = folder.canonicalize().map_err(|source| Error::Folder { folder: folder.to_owned(), source })?;
        let mut left_out = LeftOut::default();
        let folders = folders_in(&folder, &mut left_out)?;
        if folders.is_empty() || folder.join(".git").exists() {
            return Ok(Self { all: named(&[folder]), left_out: LeftOut::default() });
        }
        Ok(Self { all: named(&folders), left_out })
    }
}

fn folders_in(folder: &Path, left_out: &mut LeftOut) -> Result<Vec<PathBuf>, Error> {
    let failed = |source| Error::Folder { folder: folder.to_owned(), source };
    let mut folders = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        match entry.file_type().map_err(failed)? {
            kind if kind.is_dir() => folders.push(entry.path()),
            kind if kind.is_file() => left_out.add(Reason::InNoRepository),
            _ => left_out.add(Reason::NoFile),
        }
    }
    folders.sort_unstable();
    Ok(folders)
}

/// A folder `name-1.2.3` is repository `name`. Where there are several versions of it, the newest has the name; the others
/// keep their folders' names, so that no two share paths. What is there twice, in two registries, is taken once.
fn named(folders: &[PathBuf]) -> Vec<Repository> {
    let mut newest: BTreeMap<String, Version> = BTreeMap::new();
    for folder in folders {
        if let Some((name, version)) = versioned(&title(folder)) {
            let newest = newest.entry(name).or_insert_with(|| version.clone());
            *newest = version.max(newest.clone());
        }
    }
    // A folder that has no version may already have the name.
    let is_free = |name: &str| !folders.iter().any(|folder| title(folder) == name);
    let mut repositories: BTreeMap<String, PathBuf> = BTreeMap::new();
    for folder in folders {
        let title = title(folder);
        let name = match versioned(&title) {
            Some((name, version)) if newest.get(&name) == Some(&version) && is_free(&name) => name,
            _ => title,
        };
        repositories.entry(name).or_insert_with(|| folder.clone());
    }
    repositories.into_iter().map(|(name, folder)| Repository { name, folder }).collect()
}

fn title(folder: &Path) -> String {
    folder.file_name().map_or_else(|| "root".to_owned(), |name| name.to_string_lossy().into_owned())
}

/// `name-1.2.3-beta.1` in two.
fn versioned(title: &str) -> Option<(String, Version)> {
    title.match_indices('-').filter(|(at, _)| *at > 0).find_map(|(at, _)| {
        let version = Version::parse(&title[at + 1..]).ok()?;
        Some((title[..at].to_owned(), version))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folders: &[&str]) -> Vec<String> {
        named(&folders.iter().map(PathBuf::from).collect::<Vec<_>>())
            .into_iter()
            .map(|repository| repository.name)
            .collect()
    }

    #[test]
    fn a_crate_is_named_without_its_version() {
        assert_eq!(names(&["r/serde-1.0.228"]), ["serde"]);
        assert_eq!(names(&["r/md-5-0.11.0-rc.2+a", "r/x-y", "r/a-1", "r/-1.2.3"]), ["-1.2.3", "a-1", "md-5", "x-y"]);
    }

    #[test]
    fn only_the_newest_version_has_the_name_alone() {
        assert_eq!(names(&["r/a-1.10.0", "r/a-1.9.0", "r/a-1.9.0-rc.1"]), ["a", "a-1.9.0", "a-1.9.0-rc.1"]);
        assert_eq!(names(&["r/a-1.0.0", "mirror/a-1.0.0"]), ["a"]);
        assert_eq!(names(&["r/a", "r/a-1.0.0"]), ["a", "a-1.0.0"]);
    }

    #[test]
    fn a_folder_holds_repositories_or_is_one() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let own = vec![Repository { name: title(&root), folder: root.clone() }];
        fs::write(root.join("README.md"), "x").unwrap();
        assert_eq!(Repositories::in_folder(&root).unwrap().all, own);
        for name in ["b", "a-1.2.3", ".hidden"] {
            fs::create_dir(root.join(name)).unwrap();
        }
        let found = Repositories::in_folder(&root).unwrap();
        let names: Vec<&str> = found.all.iter().map(|repository| repository.name.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        assert_eq!(found.left_out.counts().collect::<Vec<_>>(), [(Reason::InNoRepository, 1)]);
        fs::create_dir(root.join(".git")).unwrap();
        assert_eq!(Repositories::in_folder(&root).unwrap().all, own);
        assert!(matches!(Repositories::in_folder(&root.join("none")), Err(Error::Folder { .. })));
    }
}
