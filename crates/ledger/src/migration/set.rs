//! The set of migrations, from a source tree or from inside the program.

use std::path::Path;

use sqlx::migrate::{Migration, Migrator};

use super::error::MigrationFileError;
use super::header::Header;

/// The schema that this layer owns.
pub const SCHEMA: &str = "db_service";
/// As reports and the command line call the layer: by the tool that keeps its ledger.
pub const LAYER: &str = "sqlx";
/// The ledger, schema-qualified. `sqlx.toml` says the same to sqlx-cli.
pub const LEDGER: &str = "db_service._sqlx_migrations";

/// The set of migrations, in the order in which they run.
#[derive(Debug)]
pub struct Migrations {
    pub(crate) migrator: Migrator,
    headers: Vec<Header>,
}

impl Migrations {
    /// Those of a source tree.
    ///
    /// # Errors
    /// See [`MigrationFileError`].
    pub async fn read(folder: &Path) -> Result<Self, MigrationFileError> {
        check_names(folder)?;
        let migrator = Migrator::new(folder.to_owned()).await.map_err(MigrationFileError::Sqlx)?;
        Self::new(migrator)
    }

    /// Those that `sqlx::migrate!` put into the program.
    ///
    /// # Errors
    /// See [`MigrationFileError`].
    pub fn embedded(migrator: Migrator) -> Result<Self, MigrationFileError> {
        Self::new(migrator)
    }

    fn new(mut migrator: Migrator) -> Result<Self, MigrationFileError> {
        migrator.create_schema(SCHEMA);
        migrator.dangerous_set_table_name(LEDGER);
        // We hold a lock of our own, see `lock`: sqlx's blocks, and is kept for ever when a migration fails.
        migrator.set_locking(false);
        let headers = migrator.iter().map(Header::read).collect::<Result<Vec<_>, _>>()?;
        if let Some([first, second]) = headers.array_windows().find(|[first, second]| first.version == second.version) {
            return Err(MigrationFileError::Duplicate { first: first.name.clone(), second: second.name.clone() });
        }
        Ok(Self { migrator, headers })
    }

    /// The headers, in the order in which the migrations run.
    #[must_use]
    pub fn headers(&self) -> &[Header] {
        &self.headers
    }

    /// The optional extensions that any of them can use.
    pub fn extensions(&self) -> impl Iterator<Item = &str> {
        self.headers.iter().flat_map(|header| header.uses_extension.iter().map(String::as_str))
    }

    pub(crate) fn with_headers(&self) -> impl Iterator<Item = (&Migration, &Header)> {
        self.migrator.iter().zip(&self.headers)
    }
}

/// sqlx ignores a name without `_` or `.sql` silently; we do not. Documents beside the migrations are allowed.
fn check_names(folder: &Path) -> Result<(), MigrationFileError> {
    let unreadable = |source| MigrationFileError::Unreadable { path: folder.to_owned(), source };
    for entry in folder.read_dir().map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name().to_string_lossy().into_owned();
        let is_document =
            Path::new(&name).extension().is_some_and(|extension| extension == "md") || name.starts_with('.');
        if !is_document && !is_well_named(&name) {
            return Err(MigrationFileError::Misnamed(name));
        }
    }
    Ok(())
}

/// `<number>_<name>.sql`; a second dot would be sqlx's `.up.sql`, which we have none of: the layer only goes forward.
fn is_well_named(name: &str) -> bool {
    let parts = name.strip_suffix(".sql").and_then(|stem| stem.split_once('_'));
    parts.is_some_and(|(version, rest)| version.parse::<u32>().is_ok() && !rest.is_empty() && !rest.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::super::header::tests::migration;
    use super::*;

    #[test]
    fn names_that_sqlx_would_pass_over_are_refused() {
        for good in ["002_rag_optimizations.sql", "10_x.sql"] {
            assert!(is_well_named(good), "{good}");
        }
        for bad in ["002-rag.sql", "002.sql", "x_002.sql", "002_rag.sql.bak", "002_rag.up.sql", "002_.sql", "notes.txt"]
        {
            assert!(!is_well_named(bad), "{bad}");
        }
    }

    #[tokio::test]
    async fn two_files_of_one_version_are_refused() {
        let mut set = Migrator::with_migrations(vec![migration("SELECT 1"), migration("SELECT 2")]);
        set.set_locking(true);
        assert!(matches!(Migrations::new(set), Err(MigrationFileError::Duplicate { .. })));
    }

    #[tokio::test]
    async fn the_migrations_of_this_project_can_be_read() {
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations"));
        let migrations = Migrations::read(folder).await.unwrap();
        for header in migrations.headers() {
            assert!(folder.join(&header.name).with_extension("sql").exists(), "{} is not the file's name", header.name);
            assert!(!header.requires_ecto.is_empty() && !header.provides.is_empty(), "{} lacks a header", header.name);
        }
    }
}
