//! Ecto's migration files against its ledger `schema_migrations`.
//!
//! Asking Ecto itself is not an option: `mix ecto.migrations` creates the ledger and takes the migration lock.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sqlx::PgConnection;

use crate::Error;

/// The names of the files that existed when this program was built.
const EMBEDDED: &[&str] = include!(concat!(env!("OUT_DIR"), "/ecto_files.rs"));

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

    /// Those that existed when this program was built.
    ///
    /// # Errors
    /// See [`FileError`].
    pub fn embedded() -> Result<Self, FileError> {
        Self::from_names(EMBEDDED.iter().copied())
    }

    fn from_names<'a>(names: impl Iterator<Item = &'a str>) -> Result<Self, FileError> {
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

/// What a database says about Ecto.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// The ledger.
    pub ledger: Ledger,
    /// Whether `public` holds any table, view or sequence that no extension brought.
    pub has_relations: bool,
}

/// The table `public.schema_migrations`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Ledger {
    /// There is none.
    #[default]
    Absent,
    /// Ecto's: the versions in it, ascending.
    Versions(Vec<i64>),
    /// Some other tool's: the type of its column `version`.
    Foreign(String),
}

impl State {
    /// What an empty database says.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// Files that are not in the ledger.
    #[must_use]
    pub fn pending(&self, files: &Files) -> Vec<i64> {
        files.versions().filter(|version| !self.applied().contains(version)).collect()
    }

    /// Ledger rows that have no file.
    #[must_use]
    pub fn unknown(&self, files: &Files) -> Vec<i64> {
        self.applied().iter().copied().filter(|version| !files.contains(*version)).collect()
    }

    /// The versions in the ledger.
    #[must_use]
    pub fn applied(&self) -> &[i64] {
        match &self.ledger {
            Ledger::Versions(versions) => versions,
            Ledger::Absent | Ledger::Foreign(_) => &[],
        }
    }
}

/// Reads the ledger. Writes nothing; the caller holds a READ ONLY transaction.
///
/// # Errors
/// When a query fails.
pub async fn inspect(connection: &mut PgConnection, database: &str) -> Result<State, Error> {
    let failed = || Error::sql("read Ecto's ledger", database);
    let facts = sqlx::query_file!("queries/ecto_state.sql").fetch_one(&mut *connection).await.map_err(failed())?;
    let ledger = match facts.version_type.as_deref() {
        None => Ledger::Absent,
        Some("bigint") => Ledger::Versions(
            sqlx::query_scalar!("SELECT version FROM public.schema_migrations ORDER BY version")
                .fetch_all(connection)
                .await
                .map_err(failed())?,
        ),
        Some(other) => Ledger::Foreign(other.to_owned()),
    };
    Ok(State { ledger, has_relations: facts.has_relations })
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

    #[test]
    fn pending_and_unknown_are_the_two_differences() {
        let files = files(&["1_a.exs", "2_b.exs"]).unwrap();
        let state = State { ledger: Ledger::Versions(vec![2, 3]), has_relations: true };
        assert_eq!(state.pending(&files), [1]);
        assert_eq!(state.unknown(&files), [3]);
        assert_eq!(State::empty().pending(&files), [1, 2]);
    }

    #[test]
    fn the_program_knows_the_files_it_was_built_with() {
        let tree =
            Files::read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../singularity_app/priv/repo/migrations")))
                .unwrap();
        assert_eq!(Files::embedded().unwrap(), tree);
    }
}
