//! Our migration files, and what their headers ask for.
//!
//! A header is the comment lines at the top of a file. Lines of the form `-- key: value, value` are read by the tools:
//!
//! | Key | Means |
//! |---|---|
//! | `requires-ecto` | Ecto versions that must be applied first |
//! | `requires-table` | tables that must exist, schema-qualified |
//! | `uses-extension` | extensions it can use; all of them optional |
//! | `lays-out` | tables in `public` whose storage it declares |
//! | `provides` | what must exist once it is applied: relations, functions with their argument types |

use std::path::{Path, PathBuf};

use sqlx::migrate::{MigrateError, Migration, Migrator};

/// The schema that this layer owns.
pub const SCHEMA: &str = "db_service";
/// The ledger, schema-qualified. `sqlx.toml` says the same to sqlx-cli.
pub const LEDGER: &str = "db_service._sqlx_migrations";

/// The set of migrations, in the order in which they run.
#[derive(Debug)]
pub struct Migrations {
    pub(crate) migrator: Migrator,
    headers: Vec<Header>,
}

/// What a file's header says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// The version of the file.
    pub version: i64,
    /// The file's name without `.sql`.
    pub name: String,
    /// Ecto versions that must be applied first.
    pub requires_ecto: Vec<i64>,
    /// Tables that must exist.
    pub requires_table: Vec<String>,
    /// Optional extensions.
    pub uses_extension: Vec<String>,
    /// Tables in `public` whose storage it declares.
    pub lays_out: Vec<String>,
    /// Objects that must exist afterwards.
    pub provides: Vec<String>,
}

/// Migration files that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MigrationFileError {
    /// The folder cannot be read.
    #[error("cannot read the folder `{}`", .path.display())]
    Unreadable {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// sqlx passes over some of these names, silently.
    #[error("file `{0}` is not named `<version>_<name>.sql`, so sqlx would pass over it")]
    Misnamed(String),
    /// Two files claim one version.
    #[error("files `{first}` and `{second}` have the same version")]
    Duplicate {
        /// One of them.
        first: String,
        /// The other.
        second: String,
    },
    /// A header names something that is no Ecto version.
    #[error("the header of `{name}` requires the Ecto version `{value}`, which is no number")]
    HeaderVersion {
        /// The file.
        name: String,
        /// What it says.
        value: String,
    },
    /// sqlx could not read the folder.
    #[error("sqlx cannot read them")]
    Sqlx(#[source] MigrateError),
}

impl MigrationFileError {
    /// A rule is broken, as opposed to something that failed.
    #[must_use]
    pub fn is_violation(&self) -> bool {
        !matches!(self, Self::Unreadable { .. } | Self::Sqlx(_))
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Unreadable { .. } | Self::Sqlx(_) => return None,
            Self::Misnamed(_) => {
                "name it like `005_timescaledb_stats.sql`, with the next free number, or move it elsewhere".into()
            }
            Self::Duplicate { .. } => "give the newer one the next free number".into(),
            Self::HeaderVersion { .. } => {
                "write `-- requires-ecto: 20251005030000`: the leading number of the Ecto file's name".into()
            }
        })
    }
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

impl Header {
    fn read(migration: &Migration) -> Result<Self, MigrationFileError> {
        let name = format!("{:03}_{}", migration.version, migration.description.replace(' ', "_"));
        let mut header = Self { version: migration.version, name, ..Self::default() };
        let lines = migration.sql.as_str().lines().take_while(|line| line.is_empty() || line.starts_with("--"));
        for line in lines {
            let Some((key, value)) = line.trim_start_matches(['-', ' ']).split_once(": ") else { continue };
            // `(optional)` and the like are for people.
            let values = split_list(value).map(|value| value.strip_suffix(" (optional)").unwrap_or(value).to_owned());
            match key {
                "requires-ecto" => {
                    for value in values {
                        let version = value
                            .parse()
                            .map_err(|_| MigrationFileError::HeaderVersion { name: header.name.clone(), value })?;
                        header.requires_ecto.push(version);
                    }
                }
                "requires-table" => header.requires_table.extend(values),
                "uses-extension" => header.uses_extension.extend(values),
                "lays-out" => header.lays_out.extend(values),
                "provides" => header.provides.extend(values),
                _ => {}
            }
        }
        Ok(header)
    }
}

/// Splits at the commas that separate values, not at those between a function's argument types.
fn split_list(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_i32;
    text.split(move |character| {
        depth += i32::from(character == '(') - i32::from(character == ')');
        character == ',' && depth == 0
    })
    .map(str::trim)
    .filter(|value| !value.is_empty())
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
    use super::*;
    use sqlx::SqlSafeStr as _;
    use sqlx::migrate::MigrationType;

    fn migration(sql: &'static str) -> Migration {
        Migration::new(2, "rag optimizations".into(), MigrationType::Simple, sql.into_sql_str(), false)
    }

    #[test]
    fn a_header_says_what_the_file_needs_and_gives() {
        let header = Header::read(&migration(
            "-- Why: because.\n-- requires-ecto: 1, 20251005030000\n-- requires-table: public.a, public.b\n-- uses-extension: bloom (optional)\n-- lays-out: a\n-- provides: db_service.x, db_service.f(text, integer)\n\nSELECT 1; -- requires-ecto: 9\n",
        ))
        .unwrap();
        assert_eq!(header.name, "002_rag_optimizations");
        assert_eq!(header.requires_ecto, [1, 20_251_005_030_000]);
        assert_eq!(header.requires_table, ["public.a", "public.b"]);
        assert_eq!(header.uses_extension, ["bloom"]);
        assert_eq!(header.lays_out, ["a"]);
        assert_eq!(header.provides, ["db_service.x", "db_service.f(text, integer)"]);
    }

    #[test]
    fn a_header_with_a_wrong_version_is_refused() {
        let error = Header::read(&migration("-- requires-ecto: latest\n")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the header of `002_rag_optimizations` requires the Ecto version `latest`, which is no number"
        );
    }

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
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations"));
        let migrations = Migrations::read(folder).await.unwrap();
        for header in migrations.headers() {
            assert!(folder.join(&header.name).with_extension("sql").exists(), "{} is not the file's name", header.name);
            assert!(!header.requires_ecto.is_empty() && !header.provides.is_empty(), "{} lacks a header", header.name);
        }
    }
}
