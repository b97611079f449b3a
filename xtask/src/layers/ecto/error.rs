//! What stops the Ecto layer.

use std::path::PathBuf;

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
    #[error("cannot read `{}`", .path.display())]
    StructureUnreadable {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("`{command}` succeeded, yet Ecto migration `{first}` is still pending in database `{database}`")]
    StillPending { command: String, first: String, database: String },
    #[error("cannot migrate database `{database}` with Ecto")]
    Tool {
        database: String,
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
            Self::Tool { source, .. } => {
                return source.hint().map(|hint| format!("{hint}; migrations that were done stay done"));
            }
        })
    }

    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::StructureBehind(_) => Exit::Violation,
            _ => Exit::Failed,
        }
    }
}
