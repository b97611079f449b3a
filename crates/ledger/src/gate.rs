//! The rules between the two ledgers. All of them are pure: facts in, verdict out.

use terminal::Finding;

use crate::catalog::InvalidIndex;
use crate::ecto::{EctoState, Files, Ledger};
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
    /// A killed build left an index, or it lacks a part.
    #[error("index `{}` {}", .0.name, if .0.is_partitioned { "is not on all leaves" } else { "is invalid" })]
    InvalidIndex(InvalidIndex),
}

impl Violation {
    /// The rule's name.
    #[must_use]
    pub fn rule(&self) -> &'static str {
        match self {
            Self::EctoPending { .. } => "ecto-pending",
            Self::EctoUnknown(_) => "ecto-unknown",
            Self::ForeignLedger(_) => "foreign-ledger",
            Self::UnknownRequirement { .. } => "unknown-requires-ecto",
            Self::TableMissing { .. } => "table-missing",
            Self::Edited(_) => "migration-edited",
            Self::Unknown(_) => "migration-unknown",
            Self::Dirty(_) => "migration-dirty",
            Self::OutOfOrder { .. } => "migration-out-of-order",
            Self::ObjectMissing { .. } => "object-missing",
            Self::InvalidIndex(_) => "invalid-index",
        }
    }

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
            Self::InvalidIndex(InvalidIndex { is_partitioned: true, .. }) => "made with `only: true`, or left by \
                 `migrations create-index` that was cut off: that command builds what is missing, if it is given the same table, \
                 columns and name; or drop it"
                .into(),
            Self::InvalidIndex(InvalidIndex { name, .. }) => format!(
                "if `migrations create-index` was cut off, run it again; else rebuild it with \
                 `REINDEX INDEX CONCURRENTLY {name}`, or drop it"
            ),
        }
    }
}

impl From<Violation> for Finding {
    fn from(violation: Violation) -> Self {
        let finding = Self::new(violation.rule(), violation.to_string()).help(violation.hint());
        match &violation {
            Violation::InvalidIndex(InvalidIndex { name, is_partitioned: false }) => {
                finding.fix(format!("REINDEX INDEX CONCURRENTLY {name}"))
            }
            _ => finding,
        }
    }
}

/// Whether Ecto's ledger is one that we can work with at all.
#[must_use]
pub fn check_ledger(files: &Files, ecto: &EctoState) -> Vec<Violation> {
    match &ecto.ledger {
        Ledger::Foreign(version_type) => vec![Violation::ForeignLedger(version_type.clone())],
        _ => ecto.unknown(files).into_iter().map(Violation::EctoUnknown).collect(),
    }
}

/// Whether the performance layer may start: Ecto is wholly done, and every header's demand is met by the files.
#[must_use]
pub fn check(files: &Files, ecto: &EctoState, headers: &[Header]) -> Vec<Violation> {
    let mut found = check_requirements(files, headers);
    found.extend(check_ledger(files, ecto));
    let pending = ecto.pending(files);
    let first = pending.first().and_then(|version| files.name(*version));
    // Another tool's ledger says nothing about ours.
    if let Some(first) = first.filter(|_| !matches!(ecto.ledger, Ledger::Foreign(_))) {
        found.push(Violation::EctoPending { count: pending.len(), first: first.to_owned() });
    }
    found
}

/// Whether the headers name Ecto versions that exist.
#[must_use]
pub fn check_requirements(files: &Files, headers: &[Header]) -> Vec<Violation> {
    let unknown = |header: &Header| {
        let versions = header.requires_ecto.iter().filter(|version| !files.contains(**version));
        let violation = |version: &i64| Violation::UnknownRequirement { name: header.name.clone(), version: *version };
        versions.map(violation).collect::<Vec<_>>()
    };
    headers.iter().flat_map(unknown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> Files {
        crate::test_support::files()
    }

    fn state(versions: Vec<i64>) -> EctoState {
        EctoState { ledger: Ledger::Versions(versions), has_relations: true }
    }

    #[test]
    fn a_complete_ledger_opens_the_gate() {
        assert_eq!(check(&files(), &state(files().versions().collect()), &[]), []);
    }

    #[test]
    fn one_missing_version_closes_it() {
        let versions = files().versions().skip(1).collect();
        let violations = check(&files(), &state(versions), &[]);
        assert_eq!(violations, [Violation::EctoPending { count: 1, first: "20251005_add_rag_cache".into() }]);
        assert!(check_ledger(&files(), &EctoState::empty()).is_empty(), "pending work alone is no broken ledger");
    }

    #[test]
    fn a_version_without_a_file_closes_it() {
        let versions = files().versions().chain([99_990_101_000_000]).collect();
        assert_eq!(check(&files(), &state(versions), &[]), [Violation::EctoUnknown(99_990_101_000_000)]);
    }

    #[test]
    fn another_tools_ledger_closes_it() {
        let state = EctoState { ledger: Ledger::Foreign("character varying(128)".into()), has_relations: true };
        assert_eq!(check(&files(), &state, &[]), [Violation::ForeignLedger("character varying(128)".into())]);
    }

    #[test]
    fn a_header_may_only_require_versions_that_exist() {
        let header = Header { name: "002_x".into(), requires_ecto: vec![7], ..Header::default() };
        assert_eq!(
            check(&files(), &state(files().versions().collect()), &[header]),
            [Violation::UnknownRequirement { name: "002_x".into(), version: 7 }]
        );
    }

    #[test]
    fn all_that_is_broken_is_said_at_once() {
        let header = Header { name: "002_x".into(), requires_ecto: vec![7, 8], ..Header::default() };
        let violations = check(&files(), &state(vec![1, 2]), &[header]);
        let rules: Vec<&str> = violations.iter().map(Violation::rule).collect();
        assert_eq!(
            rules,
            ["unknown-requires-ecto", "unknown-requires-ecto", "ecto-unknown", "ecto-unknown", "ecto-pending"]
        );
    }
}
