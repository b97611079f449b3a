//! Files against ledgers. Pure.

use crate::ecto::{EctoState, Files};
use crate::gate::{self, Violation};
use crate::migration::{Header, Migrations};

use super::inspect::LedgerState;

/// Which migrations are applied, and which are to come, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MigrationPlan {
    /// Those in the ledger.
    pub applied: Vec<Header>,
    /// Those to apply.
    pub pending: Vec<Header>,
}

/// Compares files and ledgers.
///
/// # Errors
/// All rules that are broken: Ecto's part is not done, history was edited, an object is gone, an index is invalid.
pub fn plan(
    migrations: &Migrations,
    files: &Files,
    ecto: &EctoState,
    state: &LedgerState,
) -> Result<MigrationPlan, Vec<Violation>> {
    let mut found = gate::check(files, ecto, migrations.headers());
    // A table that Ecto has still to make is not missing.
    let tables_are_due = found.is_empty();
    found.extend(check_against_files(migrations, state));
    if tables_are_due {
        found.extend(check_tables(migrations, state));
    }
    if found.is_empty() { Ok(compare(migrations, state)) } else { Err(found) }
}

/// The plan for a database in which the earlier layers are still to run: every migration that is not applied.
///
/// # Errors
/// The rules that do not depend on the earlier layers.
pub fn forecast(migrations: &Migrations, files: &Files, state: &LedgerState) -> Result<MigrationPlan, Vec<Violation>> {
    let mut found = gate::check_requirements(files, migrations.headers());
    found.extend(check_against_files(migrations, state));
    if found.is_empty() { Ok(compare(migrations, state)) } else { Err(found) }
}

fn check_tables(migrations: &Migrations, state: &LedgerState) -> Vec<Violation> {
    let missing = |header: &Header| {
        let tables = header.requires_table.iter().filter(|table| state.missing.contains(table));
        let violation = |table: &String| Violation::TableMissing { name: header.name.clone(), table: table.clone() };
        tables.map(violation).collect::<Vec<_>>()
    };
    migrations.headers().iter().flat_map(missing).collect()
}

fn check_against_files(migrations: &Migrations, state: &LedgerState) -> Vec<Violation> {
    let mut found: Vec<Violation> = state.invalid_indexes.iter().cloned().map(Violation::InvalidIndex).collect();
    let mut newest: Option<&Header> = None;
    for applied in &state.applied {
        let known = migrations.with_headers().find(|(migration, _)| migration.version == applied.version);
        let Some((migration, header)) = known else {
            found.push(Violation::Unknown(applied.version));
            continue;
        };
        if !applied.success {
            found.push(Violation::Dirty(header.name.clone()));
        } else if *migration.checksum != *applied.checksum {
            found.push(Violation::Edited(header.name.clone()));
        }
        let missing = header.provides.iter().filter(|object| state.missing.contains(object));
        found.extend(
            missing.map(|object| Violation::ObjectMissing { name: header.name.clone(), object: object.clone() }),
        );
        newest = Some(header);
    }
    let Some(newest) = newest else { return found };
    let late = |header: &&Header| header.version < newest.version && !state.is_applied(header.version);
    found.extend(
        migrations
            .headers()
            .iter()
            .filter(late)
            .map(|late| Violation::OutOfOrder { pending: late.name.clone(), applied: newest.name.clone() }),
    );
    found
}

fn compare(migrations: &Migrations, state: &LedgerState) -> MigrationPlan {
    let (applied, pending) = migrations.headers().iter().cloned().partition(|header| state.is_applied(header.version));
    MigrationPlan { applied, pending }
}

#[cfg(test)]
mod tests {
    use super::super::inspect::Applied;
    use super::*;
    use crate::catalog::InvalidIndex;
    use crate::ecto::Ledger;
    use crate::test_support::files;
    use sqlx::SqlSafeStr as _;
    use sqlx::migrate::{Migration, MigrationType, Migrator};

    const FIRST: &str = "-- requires-ecto: 20251005\n-- requires-table: public.t\n-- provides: db_service.a\nSELECT 1";
    const SECOND: &str = "-- requires-ecto: 20251005\n-- provides: db_service.b\nSELECT 2";

    fn migrations(texts: &[(i64, &'static str)]) -> Migrations {
        let files = texts
            .iter()
            .map(|(version, sql)| {
                Migration::new(*version, "x".into(), MigrationType::Simple, sql.into_sql_str(), false)
            })
            .collect();
        Migrations::embedded(Migrator::with_migrations(files)).unwrap()
    }

    fn applied(set: &Migrations, versions: &[i64]) -> LedgerState {
        let applied = set
            .with_headers()
            .filter(|(migration, _)| versions.contains(&migration.version))
            .map(|(migration, _)| Applied {
                version: migration.version,
                success: true,
                checksum: migration.checksum.to_vec(),
            })
            .collect();
        LedgerState { applied, ..LedgerState::default() }
    }

    fn done() -> (Files, EctoState) {
        let files = files();
        let ledger = Ledger::Versions(files.versions().collect());
        (files, EctoState { ledger, has_relations: true })
    }

    fn verdict(set: &Migrations, state: &LedgerState) -> Result<MigrationPlan, Vec<Violation>> {
        let (files, ecto) = done();
        plan(set, &files, &ecto, state)
    }

    #[test]
    fn what_is_not_in_the_ledger_is_pending() {
        let set = migrations(&[(2, FIRST), (3, SECOND)]);
        let plan = verdict(&set, &applied(&set, &[2])).unwrap();
        assert_eq!(plan.applied.iter().map(|applied| applied.name.as_str()).collect::<Vec<_>>(), ["002_x"]);
        assert_eq!(plan.pending.iter().map(|pending| pending.name.as_str()).collect::<Vec<_>>(), ["003_x"]);
        assert!(verdict(&set, &applied(&set, &[2, 3])).unwrap().pending.is_empty());
    }

    #[test]
    fn nothing_starts_before_ecto_is_done() {
        let set = migrations(&[(2, FIRST)]);
        let files = files();
        let verdict = plan(&set, &files, &EctoState::empty(), &LedgerState::empty());
        assert!(matches!(verdict.unwrap_err()[..], [Violation::EctoPending { .. }]));
        assert_eq!(forecast(&set, &files, &LedgerState::empty()).unwrap().pending.len(), 1);
    }

    #[test]
    fn history_must_be_as_the_files_say() {
        let set = migrations(&[(2, FIRST), (3, SECOND)]);
        let edited = migrations(&[(2, SECOND), (3, SECOND)]);
        assert_eq!(verdict(&edited, &applied(&set, &[2])), Err(vec![Violation::Edited("002_x".into())]));
        assert_eq!(verdict(&migrations(&[(2, FIRST)]), &applied(&set, &[2, 3])), Err(vec![Violation::Unknown(3)]));
        assert_eq!(
            verdict(&set, &applied(&set, &[3])),
            Err(vec![Violation::OutOfOrder { pending: "002_x".into(), applied: "003_x".into() }])
        );
        let mut dirty = applied(&set, &[2]);
        dirty.applied[0].success = false;
        assert_eq!(verdict(&set, &dirty), Err(vec![Violation::Dirty("002_x".into())]));
    }

    #[test]
    fn the_catalog_must_bear_the_ledger_out() {
        let set = migrations(&[(2, FIRST)]);
        let mut state = applied(&set, &[2]);
        state.missing = vec!["db_service.a".into()];
        assert_eq!(
            verdict(&set, &state),
            Err(vec![Violation::ObjectMissing { name: "002_x".into(), object: "db_service.a".into() }])
        );
        state.missing = vec!["public.t".into()];
        assert_eq!(
            verdict(&set, &state),
            Err(vec![Violation::TableMissing { name: "002_x".into(), table: "public.t".into() }])
        );
        state.missing.clear();
        let index = InvalidIndex { name: "public.i".into(), is_partitioned: false };
        state.invalid_indexes = vec![index.clone()];
        assert_eq!(verdict(&set, &state), Err(vec![Violation::InvalidIndex(index)]));
    }
}
