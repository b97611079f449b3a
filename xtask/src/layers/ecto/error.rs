//! What stops the Ecto layer.

use std::path::PathBuf;

use ledger::structure::CommandError;
use terminal::Exit;

use crate::process::ProcessError;

/// What stops this layer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EctoError {
    #[error("cannot migrate database `{database}` with Ecto: mix is not on PATH")]
    NoMix { database: String },
    #[error("cannot load `structure.sql` into database `{0}`: it is not empty")]
    NotEmpty(String),
    #[error("cannot load `structure.sql`: it lacks Ecto migration `{0}`")]
    StructureBehind(String),
    #[error("cannot load `structure.sql`: it was dumped from a database that has the performance layer: `{0}`")]
    StructureHoldsLayer(String),
    #[error("cannot load `structure.sql`")]
    StructureCommand(#[source] CommandError),
    #[error("cannot read `{}`", .path.display())]
    StructureUnreadable {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("`{command}` succeeded, yet Ecto migration `{first}` is still pending in database `{database}`")]
    StillPending { command: String, first: String, database: String },
    #[error("cannot prepare Ecto's migrations for database `{database}`")]
    Prepare {
        database: String,
        /// Whether the database could be loaded instead.
        is_loadable: bool,
        #[source]
        source: ProcessError,
    },
    #[error("cannot migrate database `{database}` with Ecto")]
    Tool {
        database: String,
        /// Whether it failed as it would not have on a plain table.
        on_partitions: bool,
        #[source]
        source: ProcessError,
    },
}

impl EctoError {
    pub(crate) fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoMix { .. } => {
                "install Elixir 1.15 or later, or name a release with `--ecto-command`; only an empty database can be loaded from `structure.sql` without mix".into()
            }
            Self::NotEmpty(_) => "use `--ecto migrate`, or another, empty database".into(),
            Self::StructureBehind(_) => "run `cargo xtask db-structure`, which writes it anew and needs mix".into(),
            Self::StructureUnreadable { .. } => "restore it from git, or run `cargo xtask db-structure`".into(),
            Self::StillPending { .. } => "does that command read DATABASE_URL, and does it have the migrations of this source tree?".into(),
            Self::StructureHoldsLayer(_) => format!(
                "its migrations would not find their own work recorded: write the file by `cargo xtask db-structure`, or dump a database \
                 without the layer, after `migrations revert --yes` and `DROP SCHEMA {} CASCADE`",
                ledger::migration::SCHEMA
            ),
            Self::StructureCommand(_) => "take the line out, or load the file with psql".into(),
            Self::Prepare { is_loadable, source, .. } => {
                let otherwise = "; the database is empty: where the packages cannot be had, `--ecto load` needs no mix";
                return source.hint().map(|hint| hint + if *is_loadable { otherwise } else { "" });
            }
            Self::Tool { on_partitions, source, .. } => {
                let page = "; some tables are partitioned: docs/ecto-on-partitioned-tables.md says what Ecto may do with them";
                let page = if *on_partitions { page } else { "" };
                return source.hint().map(|hint| format!("{hint}; migrations that were done stay done{page}"));
            }
        })
    }

    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::StructureBehind(_) | Self::StructureHoldsLayer(_) => Exit::Violation,
            _ => Exit::Failed,
        }
    }
}
