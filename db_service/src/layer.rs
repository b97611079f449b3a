//! The performance layer as a whole: migrations first, which declare; then the subjects, which converge.

use std::collections::BTreeMap;

use database::{Worker, transaction};
use ledger::ecto::{self, EctoState, Files};
use ledger::gate::Violation;
use ledger::migrate::{self, LedgerState, MigrationPlan};
use ledger::migration::{Header, LAYER, Migrations};
use sqlx::PgConnection;
use terminal::Finding;
use terminal::step::{Status, Step};

use crate::error::Error;
use crate::subject::{Inspected, ORDER, Planned, Terms, layouts};

/// What a database says: both ledgers, and the subjects.
#[derive(Debug, Default)]
pub struct LayerState {
    /// Ecto's ledger.
    pub ecto: EctoState,
    /// Ours.
    pub ledger: LedgerState,
    subjects: Vec<Box<dyn Inspected>>,
}

/// What is to be done, in order.
#[derive(Debug, Default)]
pub struct PerformancePlan {
    migrations: MigrationPlan,
    subjects: Vec<Box<dyn Planned>>,
}

impl LayerState {
    /// What an empty database says.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    fn planned(&self, migrations: MigrationPlan) -> PerformancePlan {
        PerformancePlan { migrations, subjects: self.subjects.iter().map(|subject| subject.plan()).collect() }
    }
}

/// Reads all of it in one snapshot. Writes nothing.
///
/// # Errors
/// When a query fails.
pub async fn inspect(
    connection: &mut PgConnection,
    database: &str,
    migrations: &Migrations,
) -> Result<LayerState, Error> {
    let failed = |error| Error::from(database::Error::sql("read the ledgers", database)(error));
    transaction::run_with(connection, transaction::SNAPSHOT, failed, async |connection| {
        let ecto = ecto::inspect(connection, database).await?;
        let ledger = migrate::inspect(connection, database, migrations).await?;
        let subjects = inspect_subjects(connection, &ledger, database).await?;
        Ok(transaction::End::Commit(LayerState { ecto, ledger, subjects }))
    })
    .await
}

async fn inspect_subjects(
    connection: &mut PgConnection,
    ledger: &LedgerState,
    database: &str,
) -> Result<Vec<Box<dyn Inspected>>, Error> {
    let mut subjects = Vec::new();
    for subject in ORDER {
        subjects.push(subject.inspect(connection, ledger, database).await?);
    }
    Ok(subjects)
}

/// Compares files and ledgers, and what is declared with what is there. Pure.
///
/// # Errors
/// All rules that are broken.
pub fn plan(migrations: &Migrations, files: &Files, state: &LayerState) -> Result<PerformancePlan, Vec<Violation>> {
    let migrations = migrate::plan(migrations, files, &state.ecto, &state.ledger)?;
    Ok(state.planned(migrations))
}

/// The plan for a database in which the earlier layers are still to run.
///
/// # Errors
/// The rules that do not depend on the earlier layers.
pub fn forecast(migrations: &Migrations, files: &Files, state: &LayerState) -> Result<PerformancePlan, Vec<Violation>> {
    let migrations = migrate::forecast(migrations, files, &state.ledger)?;
    Ok(state.planned(migrations))
}

impl PerformancePlan {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.migrations.pending.is_empty() && self.subjects.iter().all(|subject| subject.is_empty())
    }

    /// What is reported of what is there already.
    #[must_use]
    pub fn unchanged(&self, database: &str) -> Vec<Step> {
        let migrations = self.migrations.applied.iter().map(|header| migration(database, header, Status::Unchanged));
        migrations.chain(self.subjects.iter().flat_map(|subject| subject.unchanged(database))).collect()
    }

    /// What a run would refuse, and so says beforehand.
    ///
    /// # Errors
    /// [`relayout::Error::Refused`] with all tables that cannot be changed as they are.
    pub fn refused(&self, database: &str) -> Result<(), Error> {
        let tables = self.refusals();
        if tables.is_empty() {
            return Ok(());
        }
        Err(relayout::Error::Refused { database: database.to_owned(), tables }.into())
    }

    /// Whether a table is one of those.
    #[must_use]
    pub fn refuses(&self, table: &str) -> bool {
        self.refusals().iter().any(|(refused, _)| refused == table)
    }

    fn refusals(&self) -> Vec<(String, Vec<Finding>)> {
        self.subjects.iter().flat_map(|subject| subject.refused()).collect()
    }

    /// What is worth knowing before it is done, each said once.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let lays_out = self.migrations.pending.iter().any(|header| !header.lays_out.is_empty());
        let of_subjects = self.subjects.iter().flat_map(|subject| subject.notes());
        let mut notes: Vec<String> =
            lays_out.then(|| layouts::BACKUPS.to_owned()).into_iter().chain(of_subjects).collect();
        notes.sort();
        notes.dedup();
        notes
    }

    /// Its migrations as a script for psql; empty if none is pending.
    #[must_use]
    pub fn script(&self, migrations: &Migrations) -> String {
        migrate::script(&self.migrations, migrations)
    }

    /// What is reported instead of doing it.
    #[must_use]
    pub fn pending(&self, database: &str) -> Vec<Step> {
        let pending = &self.migrations.pending;
        let migrations = pending.iter().map(|header| migration(database, header, Status::Pending));
        let layouts = pending.iter().flat_map(|header| {
            header.lays_out.iter().map(|table| {
                Step::new(database, LAYER, "layout", table, Status::Pending)
                    .detail(format!("as `{}` declares it", header.name))
            })
        });
        let triggers = declared(database, "triggers", pending, |header| &header.puts_triggers_on);
        let codes = declared(database, "codes", pending, |header| &header.copies_vectors_of);
        let subjects = self.subjects.iter().flat_map(|subject| subject.pending(database));
        migrations.chain(layouts).chain(triggers).chain(codes).chain(subjects).collect()
    }
}

/// Applies a plan: the migrations, then what they declare.
///
/// # Errors
/// The first that occurs; the next run goes on from there.
pub async fn apply(
    plan: &PerformancePlan,
    migrations: &Migrations,
    worker: &mut Worker,
    terms: &Terms<'_>,
    mut report: impl FnMut(Step),
) -> Result<(), Error> {
    let database = terms.database();
    for applied in &plan.migrations.applied {
        report(migration(database, applied, Status::Unchanged));
    }
    migrate::apply(&plan.migrations, migrations, worker, database, |header, took| {
        report(migration(database, header, Status::Applied).took(took));
    })
    .await?;
    converge(migrations, worker, terms, report).await
}

/// Brings about all that is declared, subject by subject.
///
/// # Errors
/// The first that occurs; the next run goes on from there.
pub async fn converge(
    migrations: &Migrations,
    worker: &mut Worker,
    terms: &Terms<'_>,
    mut report: impl FnMut(Step),
) -> Result<(), Error> {
    let database = terms.database();
    let ledger = migrate::inspect(worker, database, migrations).await?;
    // What is refused of one subject does not hold up the others.
    let mut refused = Ok(());
    for subject in ORDER {
        let found = subject.inspect(worker, &ledger, database).await?;
        match found.plan().apply(terms, worker, &mut report).await {
            Err(error) if refused.is_ok() && matches!(error, Error::Relayout(relayout::Error::Refused { .. })) => {
                refused = Err(error);
            }
            outcome => outcome?,
        }
    }
    refused
}

/// What comes due by itself of what is there; nothing where this role may not read how it is. Writes nothing.
///
/// # Errors
/// When a query fails.
pub async fn upkeep(
    connection: &mut PgConnection,
    database: &str,
    migrations: &Migrations,
) -> Result<Vec<Box<dyn Planned>>, Error> {
    let failed = database::Error::sql("look for what is due", database);
    let may_read = sqlx::query_file_scalar!("queries/may_read_layer.sql").fetch_one(&mut *connection).await;
    if !may_read.map_err(failed)? {
        return Ok(Vec::new());
    }
    let failed = |error| Error::from(database::Error::sql("read the ledger", database)(error));
    transaction::run_with(connection, transaction::SNAPSHOT, failed, async |connection| {
        let ledger = migrate::inspect(connection, database, migrations).await?;
        let subjects = inspect_subjects(connection, &ledger, database).await?;
        let due = subjects.iter().filter_map(|subject| subject.plan().upkeep()).collect();
        Ok(transaction::End::Commit(due))
    })
    .await
}

/// What migrations declare for tables, a step a table whatever many of them do.
fn declared<'a>(
    database: &str,
    object: &'static str,
    pending: &'a [Header],
    tables: impl Fn(&'a Header) -> &'a Vec<String>,
) -> Vec<Step> {
    let mut by_table: BTreeMap<&String, Vec<String>> = BTreeMap::new();
    for header in pending {
        for table in tables(header) {
            by_table.entry(table).or_default().push(format!("`{}`", header.name));
        }
    }
    let step = |(table, names): (&String, Vec<String>)| {
        let verb = if names.len() == 1 { "declares" } else { "declare" };
        let detail = format!("as {} {verb} them", names.join(" and "));
        Step::new(database, LAYER, object, table, Status::Pending).detail(detail)
    };
    by_table.into_iter().map(step).collect()
}

fn migration(database: &str, header: &Header, status: Status) -> Step {
    Step::new(database, LAYER, "migration", &header.name, status)
}
