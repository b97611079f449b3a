//! The performance layer: what is there, what is missing, and bringing it about.

use std::time::{Duration, Instant};

use sqlx::{Connection as _, PgConnection};

use crate::gate::Violation;
use crate::migration::Migrations;
use crate::relayout::{self, Layout, Outcome};
use crate::step::{Elapsed, Status, Step};
use crate::{Error, ecto, gate};

/// What a database says about this layer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    applied: Vec<Applied>,
    missing: Vec<String>,
    invalid_indexes: Vec<String>,
    layouts: Vec<Layout>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Applied {
    version: i64,
    success: bool,
    checksum: Vec<u8>,
}

/// What is to be done, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    applied: Vec<String>,
    pending: Vec<Pending>,
    layouts: Vec<Layout>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Pending {
    version: i64,
    name: String,
    lays_out: Vec<String>,
    provides: Vec<String>,
}

impl State {
    /// What an empty database says: every table that a header requires is still to come.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// Desired and actual storage, as far as it is declared.
    #[must_use]
    pub fn layouts(&self) -> &[Layout] {
        &self.layouts
    }
}

impl Plan {
    /// Desired and actual storage, as far as it is declared.
    #[must_use]
    pub fn layouts(&self) -> &[Layout] {
        &self.layouts
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pending.is_empty() && self.layouts.iter().all(Layout::is_reached)
    }

    /// What is reported of what is there already.
    #[must_use]
    pub fn unchanged(&self, database: &str) -> Vec<Step> {
        let migrations =
            self.applied.iter().map(|name| Step::new(database, "sqlx", "migration", name, Status::Unchanged));
        let reached = self.layouts.iter().filter(|layout| layout.is_reached());
        migrations.chain(reached.map(|layout| layout_step(database, layout, Status::Unchanged))).collect()
    }

    /// What is reported instead of doing it.
    #[must_use]
    pub fn pending(&self, database: &str) -> Vec<Step> {
        let migrations =
            self.pending.iter().map(|pending| Step::new(database, "sqlx", "migration", &pending.name, Status::Pending));
        let declared = self.pending.iter().flat_map(|pending| {
            pending.lays_out.iter().map(|table| {
                Step::new(database, "sqlx", "layout", table, Status::Pending)
                    .detail(format!("as `{}` declares it", pending.name))
            })
        });
        let wanted = self.layouts.iter().filter(|layout| !layout.is_reached());
        let wanted = wanted.map(|layout| layout_step(database, layout, Status::Pending));
        migrations.chain(declared).chain(wanted).collect()
    }
}

/// Reads the ledger, and whether the catalog bears it out. Writes nothing.
///
/// # Errors
/// When a query fails.
pub async fn inspect(connection: &mut PgConnection, database: &str, migrations: &Migrations) -> Result<State, Error> {
    let failed = || Error::sql("read the ledger of the performance layer", database);
    // One snapshot, taken before the catalog is asked for objects (which always answers with the newest state): if the
    // ledger in it says applied, the objects are there by the time we look, even while another run applies them.
    let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
    let mut transaction = connection.begin_with(begin).await.map_err(failed())?;
    let invalid_indexes =
        sqlx::query_file_scalar!("queries/invalid_indexes.sql").fetch_all(&mut *transaction).await.map_err(failed())?;
    let tables = migrations.headers().iter().flat_map(|header| header.requires_table.iter());
    let objects = migrations.headers().iter().flat_map(|header| header.provides.iter());
    let mut wanted: Vec<String> = tables.chain(objects).cloned().collect();
    wanted.push(crate::migration::LEDGER.to_owned());
    let missing = missing(&mut transaction, &wanted).await.map_err(failed())?;
    let exists = |name: &str| !missing.iter().any(|missing| missing == name);
    let mut state = State { invalid_indexes, ..State::default() };
    if exists(crate::migration::LEDGER) {
        state.applied = sqlx::query_file_as!(Applied, "queries/sqlx_ledger.sql")
            .fetch_all(&mut *transaction)
            .await
            .map_err(failed())?;
    }
    if exists("db_service.layout") && !state.applied.is_empty() {
        state.layouts = Layout::read_all(&mut transaction).await.map_err(failed())?;
    }
    state.missing = missing;
    transaction.commit().await.map_err(failed())?;
    Ok(state)
}

/// Compares files and ledgers. Pure.
///
/// # Errors
/// The first rule that is broken: Ecto's part is not done, history was edited, an object is gone, an index is invalid.
pub fn plan(
    migrations: &Migrations,
    files: &ecto::Files,
    ecto: &ecto::State,
    state: &State,
) -> Result<Plan, Violation> {
    gate::check(files, ecto, migrations.headers())?;
    check_against_files(migrations, state)?;
    for header in migrations.headers() {
        if let Some(table) = header.requires_table.iter().find(|table| state.missing.contains(table)) {
            return Err(Violation::TableMissing { name: header.name.clone(), table: table.clone() });
        }
    }
    Ok(compare(migrations, state))
}

/// The plan for a database in which the earlier layers are still to run: every migration that is not applied.
///
/// # Errors
/// The rules that do not depend on the earlier layers.
pub fn forecast(migrations: &Migrations, files: &ecto::Files, state: &State) -> Result<Plan, Violation> {
    gate::check_requirements(files, migrations.headers())?;
    check_against_files(migrations, state)?;
    Ok(compare(migrations, state))
}

/// Applies a plan: one migration and its ledger row a transaction, checking that each brought about what it says; then
/// brings the tables into the layouts that the migrations declare.
///
/// The caller holds the [`DatabaseLock`](crate::lock::DatabaseLock) and has prepared the connection by
/// [`prepare_for_changes`](crate::connection::prepare_for_changes).
///
/// # Errors
/// The failed migration, or [`Violation::ObjectMissing`] and [`Violation::InvalidIndex`] if one did not do its work; and
/// those of [`relayout::run`].
pub async fn apply(
    plan: &Plan,
    migrations: &Migrations,
    connection: &mut PgConnection,
    context: relayout::Context<'_>,
    mut report: impl FnMut(Step),
) -> Result<(), Error> {
    let database = context.url.database().unwrap_or_default();
    for name in &plan.applied {
        report(Step::new(database, "sqlx", "migration", name, Status::Unchanged));
    }
    for pending in &plan.pending {
        let started = Instant::now();
        migrations.migrator.run_to(pending.version, &mut *connection).await.map_err(|source| Error::Migration {
            name: pending.name.clone(),
            database: database.to_owned(),
            source,
        })?;
        let took = started.elapsed();
        check_outcome(pending, connection, database).await?;
        report(applied_step(database, pending, took));
    }
    converge(connection, context, report).await
}

/// Brings all tables into the layouts that are declared for them.
///
/// # Errors
/// Those of [`relayout::run`].
pub async fn converge(
    connection: &mut PgConnection,
    context: relayout::Context<'_>,
    mut report: impl FnMut(Step),
) -> Result<(), Error> {
    let database = context.url.database().unwrap_or_default();
    for layout in Layout::read_all(connection).await.map_err(Error::sql("compare the layout", database))? {
        converge_table(layout, connection, context, &mut report).await?;
    }
    Ok(())
}

/// How often a table may be altered while its rows are copied.
const MOST_ABANDONED: usize = 5;

/// Brings one table into its layout, a job at a time. One that an earlier run began is finished first, or given up.
async fn converge_table(
    mut layout: Layout,
    connection: &mut PgConnection,
    context: relayout::Context<'_>,
    report: &mut impl FnMut(Step),
) -> Result<(), Error> {
    let database = context.url.database().unwrap_or_default();
    if layout.is_reached() {
        report(layout_step(database, &layout, Status::Unchanged));
    }
    let too_large = layout.estimate.filter(|estimate| estimate.bytes > context.most_bytes);
    if let Some(estimate) = too_large.filter(|_| layout.phase.is_none() && layout.damage.is_empty()) {
        let step = Step::new(database, "sqlx", "layout", &layout.table, Status::LeftOut)
            .detail(format!("{} asks for a word of yours: {estimate}", layout.desired))
            .remedy("agree with `--yes`, or keep the table as it is with `migrations revert`");
        report(step);
        return Ok(());
    }
    let mut abandoned = 0;
    while !layout.is_reached() {
        let started = Instant::now();
        match relayout::run(context, connection, &layout).await? {
            Outcome::Done(change) => {
                report(converted_step(database, &layout.table, &change).took(started.elapsed()));
                if change.unfinished {
                    let step = Step::new(database, "sqlx", "layout", &layout.table, Status::LeftOut)
                        .detail("the old form is kept while transactions are open that began before the swap")
                        .remedy("run the same command again once they have ended");
                    report(step);
                    break;
                }
            }
            Outcome::Abandoned if abandoned < MOST_ABANDONED => abandoned += 1,
            Outcome::Abandoned => {
                return Err(Error::RelayoutOutrun { table: layout.table, database: database.to_owned() });
            }
        }
        let now = Layout::read(connection, &layout.table).await;
        let Some(now) = now.map_err(Error::sql("compare the layout", database))? else { break };
        layout = now;
    }
    Ok(())
}

fn converted_step(database: &str, table: &str, change: &relayout::Change) -> Step {
    let blocked = change.locked.map(|locked| format!(", writers blocked {}", Elapsed(locked))).unwrap_or_default();
    let detail = format!("to {}, {} rows{blocked}", change.shape, change.rows);
    Step::new(database, "sqlx", "layout", table, Status::Converted).detail(detail)
}

fn applied_step(database: &str, pending: &Pending, took: Duration) -> Step {
    Step::new(database, "sqlx", "migration", &pending.name, Status::Applied).took(took)
}

async fn check_outcome(pending: &Pending, connection: &mut PgConnection, database: &str) -> Result<(), Error> {
    let failed = || Error::sql(&format!("check the outcome of migration `{}`", pending.name), database);
    let violated = |violation| Error::Violation { database: database.to_owned(), violation };
    if let Some(object) = missing(connection, &pending.provides).await.map_err(failed())?.into_iter().next() {
        return Err(violated(Violation::ObjectMissing { name: pending.name.clone(), object }));
    }
    let invalid =
        sqlx::query_file_scalar!("queries/invalid_indexes.sql").fetch_all(connection).await.map_err(failed())?;
    invalid.into_iter().next().map_or(Ok(()), |index| Err(violated(Violation::InvalidIndex(index))))
}

fn check_against_files(migrations: &Migrations, state: &State) -> Result<(), Violation> {
    if let Some(index) = state.invalid_indexes.first() {
        return Err(Violation::InvalidIndex(index.clone()));
    }
    let mut newest: Option<&str> = None;
    for applied in &state.applied {
        let Some((migration, header)) =
            migrations.with_headers().find(|(migration, _)| migration.version == applied.version)
        else {
            return Err(Violation::Unknown(applied.version));
        };
        if !applied.success {
            return Err(Violation::Dirty(header.name.clone()));
        }
        if *migration.checksum != *applied.checksum {
            return Err(Violation::Edited(header.name.clone()));
        }
        if let Some(object) = header.provides.iter().find(|object| state.missing.contains(object)) {
            return Err(Violation::ObjectMissing { name: header.name.clone(), object: object.clone() });
        }
        newest = Some(&header.name);
    }
    let newest_version = state.applied.last().map_or(i64::MIN, |applied| applied.version);
    let late = migrations
        .headers()
        .iter()
        .find(|header| header.version < newest_version && !is_applied(state, header.version));
    match (late, newest) {
        (Some(late), Some(newest)) => {
            Err(Violation::OutOfOrder { pending: late.name.clone(), applied: newest.to_owned() })
        }
        _ => Ok(()),
    }
}

fn compare(migrations: &Migrations, state: &State) -> Plan {
    let (applied, pending): (Vec<_>, Vec<_>) =
        migrations.headers().iter().partition(|header| is_applied(state, header.version));
    Plan {
        applied: applied.into_iter().map(|header| header.name.clone()).collect(),
        pending: pending
            .into_iter()
            .map(|header| Pending {
                version: header.version,
                name: header.name.clone(),
                lays_out: header.lays_out.clone(),
                provides: header.provides.clone(),
            })
            .collect(),
        layouts: state.layouts.clone(),
    }
}

fn is_applied(state: &State, version: i64) -> bool {
    state.applied.iter().any(|applied| applied.version == version)
}

async fn missing(connection: &mut PgConnection, objects: &[String]) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_file_scalar!("queries/missing_objects.sql", objects).fetch_all(connection).await
}

fn layout_step(database: &str, layout: &Layout, status: Status) -> Step {
    let detail = match &layout.phase {
        Some(phase) => format!("{} (a job is in phase {phase})", layout.desired),
        None => layout.desired.to_string(),
    };
    let detail = match layout.estimate {
        Some(estimate) if layout.phase.is_none() => format!("{detail}: {estimate}"),
        _ => detail,
    };
    Step::new(database, "sqlx", "layout", &layout.table, status).detail(detail)
}

#[cfg(test)]
mod tests {
    use super::*;
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

    fn applied(set: &Migrations, versions: &[i64]) -> State {
        let applied = set
            .with_headers()
            .filter(|(migration, _)| versions.contains(&migration.version))
            .map(|(migration, _)| Applied {
                version: migration.version,
                success: true,
                checksum: migration.checksum.to_vec(),
            })
            .collect();
        State { applied, ..State::default() }
    }

    fn done() -> (ecto::Files, ecto::State) {
        let files = ecto::Files::embedded().unwrap();
        let ledger = ecto::Ledger::Versions(files.versions().collect());
        (files, ecto::State { ledger, has_relations: true })
    }

    fn verdict(set: &Migrations, state: &State) -> Result<Plan, Violation> {
        let (files, ecto) = done();
        plan(set, &files, &ecto, state)
    }

    #[test]
    fn what_is_not_in_the_ledger_is_pending() {
        let set = migrations(&[(2, FIRST), (3, SECOND)]);
        let plan = verdict(&set, &applied(&set, &[2])).unwrap();
        assert_eq!(plan.applied, ["002_x"]);
        assert_eq!(plan.pending.iter().map(|pending| pending.name.as_str()).collect::<Vec<_>>(), ["003_x"]);
        assert!(verdict(&set, &applied(&set, &[2, 3])).unwrap().is_empty());
    }

    #[test]
    fn nothing_starts_before_ecto_is_done() {
        let set = migrations(&[(2, FIRST)]);
        let files = ecto::Files::embedded().unwrap();
        let verdict = plan(&set, &files, &ecto::State::empty(), &State::empty());
        assert!(matches!(verdict, Err(Violation::EctoPending { .. })));
        assert_eq!(forecast(&set, &files, &State::empty()).unwrap().pending.len(), 1);
    }

    #[test]
    fn history_must_be_as_the_files_say() {
        let set = migrations(&[(2, FIRST), (3, SECOND)]);
        let edited = migrations(&[(2, SECOND), (3, SECOND)]);
        assert_eq!(verdict(&edited, &applied(&set, &[2])), Err(Violation::Edited("002_x".into())));
        assert_eq!(verdict(&migrations(&[(2, FIRST)]), &applied(&set, &[2, 3])), Err(Violation::Unknown(3)));
        assert_eq!(
            verdict(&set, &applied(&set, &[3])),
            Err(Violation::OutOfOrder { pending: "002_x".into(), applied: "003_x".into() })
        );
        let mut dirty = applied(&set, &[2]);
        dirty.applied[0].success = false;
        assert_eq!(verdict(&set, &dirty), Err(Violation::Dirty("002_x".into())));
    }

    #[test]
    fn the_catalog_must_bear_the_ledger_out() {
        let set = migrations(&[(2, FIRST)]);
        let mut state = applied(&set, &[2]);
        state.missing = vec!["db_service.a".into()];
        assert_eq!(
            verdict(&set, &state),
            Err(Violation::ObjectMissing { name: "002_x".into(), object: "db_service.a".into() })
        );
        state.missing = vec!["public.t".into()];
        assert_eq!(
            verdict(&set, &state),
            Err(Violation::TableMissing { name: "002_x".into(), table: "public.t".into() })
        );
        state.missing.clear();
        state.invalid_indexes = vec!["public.i".into()];
        assert_eq!(verdict(&set, &state), Err(Violation::InvalidIndex("public.i".into())));
    }
}
