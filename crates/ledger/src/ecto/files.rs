//! Ecto's migration files, by the rule that Ecto goes by.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Ecto's migration files: version to file name without `.exs`, in the order in which Ecto runs them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files(BTreeMap<i64, String>);

/// A folder of Ecto migrations that Ecto itself would misread, silently.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The folder cannot be listed.
    #[error("cannot read the folder `{}`", .path.display())]
    Unreadable {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Ecto passes over such a file without a word.
    #[error("file `{0}` is not named `<version>_<name>.exs`, so Ecto would pass over it")]
    Misnamed(String),
    /// Ecto refuses both, or skips the second one if the first was applied.
    #[error("files `{first}` and `{second}` have the same version")]
    Duplicate {
        /// One of them.
        first: String,
        /// The other.
        second: String,
    },
}

impl FileError {
    /// A rule is broken, as opposed to something that failed.
    #[must_use]
    pub fn is_violation(&self) -> bool {
        !matches!(self, Self::Unreadable { .. })
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unreadable { .. } => None,
            Self::Misnamed(_) => Some("name it by `mix ecto.gen.migration <name>`, or move it elsewhere".into()),
            Self::Duplicate { .. } => {
                Some("give the newer one a version of its own: `mix ecto.gen.migration <name>` shows the form".into())
            }
        }
    }
}

impl Files {
    /// Those of a source tree.
    ///
    /// # Errors
    /// See [`FileError`].
    pub fn read(folder: &Path) -> Result<Self, FileError> {
        let unreadable = |source| FileError::Unreadable { path: folder.to_owned(), source };
        let mut names = Vec::new();
        for entry in folder.read_dir().map_err(unreadable)? {
            names.push(entry.map_err(unreadable)?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        Self::from_names(names.iter().map(String::as_str))
    }

    /// Those of these names: in production there is no source tree to ask.
    ///
    /// # Errors
    /// See [`FileError`].
    pub fn from_names<'a>(names: impl Iterator<Item = &'a str>) -> Result<Self, FileError> {
        let mut files = BTreeMap::new();
        for name in names.filter(|name| !name.starts_with('.')) {
            let (version, stem) = split_name(name).ok_or_else(|| FileError::Misnamed(name.to_owned()))?;
            if let Some(first) = files.insert(version, stem.to_owned()) {
                return Err(FileError::Duplicate { first, second: stem.to_owned() });
            }
        }
        Ok(Self(files))
    }

    /// The versions, ascending: the order in which Ecto runs them.
    pub fn versions(&self) -> impl Iterator<Item = i64> + '_ {
        self.0.keys().copied()
    }

    /// The file of a version, without `.exs`.
    #[must_use]
    pub fn name(&self, version: i64) -> Option<&str> {
        self.0.get(&version).map(String::as_str)
    }

    /// Whether there is a file of that version.
    #[must_use]
    pub fn contains(&self, version: i64) -> bool {
        self.0.contains_key(&version)
    }
}

/// Ecto's rule (`Ecto.Migrator`): the leading integer, then `_` and a name. `20251005_x` is version 20251005 and so older
/// than every 14-digit one.
fn split_name(name: &str) -> Option<(i64, &str)> {
    let stem = name.strip_suffix(".exs")?;
    let (version, rest) = stem.split_once('_')?;
    if rest.is_empty() {
        return None;
    }
    Some((version.parse().ok()?, stem))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(names: &[&str]) -> Result<Files, FileError> {
        Files::from_names(names.iter().copied())
    }

    #[test]
    fn a_short_version_runs_first() {
        let files = files(&["20251004222000_create_framework_patterns.exs", "20251005_add_rag_cache.exs"]).unwrap();
        assert_eq!(files.versions().collect::<Vec<_>>(), [20_251_005, 20_251_004_222_000]);
        assert_eq!(files.name(20_251_005), Some("20251005_add_rag_cache"));
    }

    #[test]
    fn what_ecto_would_pass_over_is_an_error() {
        for name in
            ["create_x.exs", "20251005.exs", "20251005_.exs", "20251005-add.exs", "20251005_x.ex", "20251005_x.exs.bak"]
        {
            let error = files(&[name]).unwrap_err();
            assert!(matches!(&error, FileError::Misnamed(found) if found == name), "{name}: {error}");
            assert!(error.is_violation() && error.hint().is_some());
        }
        assert_eq!(files(&[".formatter.exs", "1_x.exs"]).unwrap().versions().count(), 1);
    }

    #[test]
    fn one_version_belongs_to_one_file() {
        assert_eq!(
            files(&["0001_a.exs", "1_b.exs"]).unwrap_err().to_string(),
            "files `0001_a` and `1_b` have the same version"
        );
    }
}
