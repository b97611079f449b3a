//! Why an extension cannot be had, and what would change that.

use database::quote::literal;
use terminal::step::{Status, Step};

/// Why an extension cannot be had, and what would change that.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub(crate) struct Absence {
    pub(crate) reason: String,
    pub(crate) remedy: String,
}

impl Absence {
    pub(super) fn describe(&self, step: Step) -> Step {
        Step { status: Status::LeftOut, ..step }.detail(&self.reason).remedy(&self.remedy)
    }

    /// The server has the files and the role may not use them.
    pub(super) fn no_right(name: &str) -> Self {
        Self {
            reason: "the role may not create it".into(),
            remedy: format!("have a superuser run `CREATE EXTENSION {name}` in this database"),
        }
    }

    /// The next start loads it.
    pub(super) fn not_restarted(library: &str) -> Self {
        Self {
            reason: format!("library `{library}` is not loaded before PostgreSQL is restarted"),
            remedy: "restart PostgreSQL, then run the same command again".into(),
        }
    }

    /// The library is not among those that the server is started with; `wanted` are all that should be.
    pub(super) fn not_started_with(library: &str, wanted: &[String]) -> Self {
        Self {
            reason: reason_not_preloaded(library),
            remedy: format!(
                "start PostgreSQL with `-c shared_preload_libraries={}` in place of the list that it is started with, then run \
                 the same command again",
                wanted.join(",")
            ),
        }
    }

    /// The library is not loaded; `wanted` is what the setting should be.
    pub(super) fn not_preloaded(library: &str, wanted: &[String], own_server: bool) -> Self {
        let remedy = if own_server {
            "run `cargo xtask db-server stop`, then the same command again: a start preloads what the server has".into()
        } else {
            // Each a literal of its own: `= 'a,b'` is one library, and the server would not start.
            let list: Vec<String> = wanted.iter().map(|library| literal(library)).collect();
            format!(
                "run `ALTER SYSTEM SET shared_preload_libraries = {}`, restart PostgreSQL, then run the same command again",
                list.join(", ")
            )
        };
        Self { reason: reason_not_preloaded(library), remedy }
    }
}

fn reason_not_preloaded(library: &str) -> String {
    format!("library `{library}` is not in `shared_preload_libraries`")
}
