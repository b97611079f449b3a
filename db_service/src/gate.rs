//! The rules between the two ledgers. All of them are pure: facts in, verdict out.

use crate::ecto::{Files, Ledger, State};
use crate::migration::Header;

/// A rule that is broken. Nothing is changed while one is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// The earlier layer is not done.
    #[error("{} Ecto migration(s) are pending, first `{first}`", .count)]
    EctoPending {
        /// How many.
        count: usize,
        /// The first, by file name.
        first: String,
    },
    /// The ledger is ahead of the files.
    #[error("Ecto's ledger holds version {0}, for which there is no file")]
    EctoUnknown(i64),
    /// dbmate, Rails or golang-migrate got there first.
    #[error(
        "`public.schema_migrations` belongs to another tool: its column `version` is of type `{0}`, Ecto's is `bigint`"
    )]
    ForeignLedger(String),
    /// A header names an Ecto version that does not exist.
    #[error("migration `{name}` requires the Ecto version {version}, for which there is no file")]
    UnknownRequirement {
        /// Our migration.
        name: String,
        /// The version.
        version: i64,
    },
    /// A table that a migration builds on is gone.
    #[error("migration `{name}` requires the table `{table}`, which does not exist")]
    TableMissing {
        /// Our migration.
        name: String,
        /// The table.
        table: String,
    },
    /// Applied once, and edited since.
    #[error("migration `{0}` was edited after it was applied")]
    Edited(String),
    /// Applied by a newer version of this program.
    #[error("the ledger `db_service._sqlx_migrations` holds version {0}, for which there is no file")]
    Unknown(i64),
    /// A migration without a transaction failed half-way.
    #[error("migration `{0}` is recorded as failed half-way")]
    Dirty(String),
    /// A new file with an old number.
    #[error("migration `{pending}` is pending, yet the later `{applied}` is already applied")]
    OutOfOrder {
        /// The one that comes too late.
        pending: String,
        /// The newest applied one.
        applied: String,
    },
    /// The ledger says applied, the catalog says otherwise.
    #[error("migration `{name}` is recorded as applied, yet `{object}` does not exist")]
    ObjectMissing {
        /// Our migration.
        name: String,
        /// What it should have made.
        object: String,
    },
    /// A killed build left an index that no query uses and every write pays for.
    #[error("index `{0}` is invalid")]
    InvalidIndex(String),
}

impl Violation {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::EctoPending { .. } => "run `cargo xtask db-setup`, or the release's own Ecto migrations, first".into(),
            Self::EctoUnknown(_) => "the database is ahead of this source tree: check out or build the version that made it".into(),
            Self::ForeignLedger(_) => "use another database; or move that tool's ledger away: `ALTER TABLE public.schema_migrations RENAME TO …`".into(),
            Self::UnknownRequirement { .. } => "correct the header `-- requires-ecto:`, or add the Ecto migration".into(),
            Self::TableMissing { .. } => "a hand has dropped it: bring it back from a backup; or delete the row of the Ecto migration that makes it from `schema_migrations`, then run `cargo xtask db-setup`".into(),
            Self::Edited(_) => "restore the file as it was released (`git log -- migrations/`) and put the change into a new migration".into(),
            Self::Unknown(_) => "the database is ahead of this program: run the newer version".into(),
            Self::Dirty(_) => "complete or undo its statements by hand, then delete its row from `db_service._sqlx_migrations`".into(),
            Self::OutOfOrder { .. } => "rename the pending file to the next free number".into(),
            Self::ObjectMissing { name, .. } => {
                format!("somebody dropped it; to build the layer anew: `DROP SCHEMA db_service CASCADE`, then run again from `{name}` on")
            }
            Self::InvalidIndex(index) => format!(
                "if `migrations create-index` was cut off, run it again; else rebuild it with \
                 `REINDEX INDEX CONCURRENTLY {index}`, or drop it"
            ),
        }
    }
}

/// Whether Ecto's ledger is one that we can work with at all.
///
/// # Errors
/// [`Violation::ForeignLedger`], [`Violation::EctoUnknown`].
pub fn check_ledger(files: &Files, ecto: &State) -> Result<(), Violation> {
    if let Ledger::Foreign(version_type) = &ecto.ledger {
        return Err(Violation::ForeignLedger(version_type.clone()));
    }
    ecto.unknown(files).first().map_or(Ok(()), |version| Err(Violation::EctoUnknown(*version)))
}

/// Whether the performance layer may start: Ecto is wholly done, and every header's demand is met by the files.
///
/// # Errors
/// The first rule that is broken.
pub fn check(files: &Files, ecto: &State, headers: &[Header]) -> Result<(), Violation> {
    check_requirements(files, headers)?;
    check_ledger(files, ecto)?;
    let pending = ecto.pending(files);
    match pending.first().and_then(|version| files.name(*version)) {
        Some(first) => Err(Violation::EctoPending { count: pending.len(), first: first.to_owned() }),
        None => Ok(()),
    }
}

/// Whether the headers name Ecto versions that exist.
///
/// # Errors
/// [`Violation::UnknownRequirement`].
pub fn check_requirements(files: &Files, headers: &[Header]) -> Result<(), Violation> {
    for header in headers {
        if let Some(version) = header.requires_ecto.iter().find(|version| !files.contains(**version)) {
            return Err(Violation::UnknownRequirement { name: header.name.clone(), version: *version });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> Files {
        Files::embedded().unwrap()
    }

    fn state(versions: Vec<i64>) -> State {
        State { ledger: Ledger::Versions(versions), has_relations: true }
    }

    #[test]
    fn a_complete_ledger_opens_the_gate() {
        assert_eq!(check(&files(), &state(files().versions().collect()), &[]), Ok(()));
    }

    #[test]
    fn one_missing_version_closes_it() {
        let versions = files().versions().skip(1).collect();
        let violation = check(&files(), &state(versions), &[]).unwrap_err();
        assert_eq!(violation, Violation::EctoPending { count: 1, first: "20251005_add_rag_cache".into() });
        assert!(check_ledger(&files(), &State::empty()).is_ok(), "pending work alone is no broken ledger");
    }

    #[test]
    fn a_version_without_a_file_closes_it() {
        let versions = files().versions().chain([99_990_101_000_000]).collect();
        assert_eq!(check(&files(), &state(versions), &[]), Err(Violation::EctoUnknown(99_990_101_000_000)));
    }

    #[test]
    fn another_tools_ledger_closes_it() {
        let state = State { ledger: Ledger::Foreign("character varying(128)".into()), has_relations: true };
        assert_eq!(check(&files(), &state, &[]), Err(Violation::ForeignLedger("character varying(128)".into())));
    }

    #[test]
    fn a_header_may_only_require_versions_that_exist() {
        let header = Header { name: "002_x".into(), requires_ecto: vec![7], ..Header::default() };
        assert_eq!(
            check(&files(), &State::empty(), &[header]),
            Err(Violation::UnknownRequirement { name: "002_x".into(), version: 7 })
        );
    }
}
