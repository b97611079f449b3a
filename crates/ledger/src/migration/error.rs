//! Migration files that cannot be used.

use std::path::PathBuf;

use sqlx::migrate::MigrateError;

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
    /// A header puts triggers on a table that it does not ask for.
    #[error("the header of `{name}` puts triggers on `{table}` and does not require the table `public.{table}`")]
    HeaderTable {
        /// The file.
        name: String,
        /// The table.
        table: String,
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
            Self::HeaderTable { table, .. } => format!("write `-- requires-table: public.{table}` as well"),
        })
    }
}
