//! Layouts: how the tables that grow are stored.

use std::time::Instant;

use database::Worker;
use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;
use ledger::migrate::LedgerState;
use ledger::migration::LAYER;
use relayout::engine::{Change, JobEnd};
use relayout::layout::{Layout, Shape};
use relayout::preflight;
use sqlx::PgConnection;
use terminal::Finding;
use terminal::elapsed::Elapsed;
use terminal::step::{Status, Step};

use super::contract::{Inspected, Planned, Subject, Terms};
use crate::error::Error;

/// The subject.
#[derive(Debug)]
pub struct Layouts;

/// Where layouts are declared.
const TABLE: &str = "db_service.layout";

/// To know before a table's rows move from `public` into leaves.
pub(crate) const BACKUPS: &str = "dumps by schema or name (`pg_dump -n public`, `pg_dump -t code_files`) hold no rows of a table \
                                  once it is in leaves; what to run instead: \"Backups\" in docs/operations.md";

/// How often a table may be altered while its rows are copied.
const MOST_ABANDONED: usize = 5;

impl Subject for Layouts {
    fn inspect<'a>(
        &'a self,
        connection: &'a mut PgConnection,
        ledger: &'a LedgerState,
        database: &'a str,
    ) -> LocalBoxFuture<'a, Result<Box<dyn Inspected>, Error>> {
        async move {
            let mut found = Vec::new();
            for layout in read(connection, ledger, database).await? {
                // A job on its way was begun because nothing did.
                let is_to_begin = !layout.is_reached() && layout.phase.is_none();
                let failed = database::Error::sql("look for what stands against a layout", database);
                let obstacles = if is_to_begin {
                    preflight::obstacles(connection, &layout, None).await.map_err(failed)?
                } else {
                    Vec::new()
                };
                found.push(Found { layout, obstacles });
            }
            Ok(Box::new(LayoutsPlan(found)) as Box<dyn Inspected>)
        }
        .boxed_local()
    }
}

/// Whether the migration that declares layouts was applied.
#[must_use]
pub fn is_declared(ledger: &LedgerState) -> bool {
    ledger.provides(TABLE)
}

/// Whether the migration was applied that shows what tables and leaves hold.
#[must_use]
pub fn has_statistics(ledger: &LedgerState) -> bool {
    ledger.provides("db_service.partition_stats")
}

/// Whether the migration was applied by which tables may be laid out by the week.
#[must_use]
pub fn has_weeks(ledger: &LedgerState) -> bool {
    ledger.provides("db_service.week_leaves")
}

/// Desired and actual layouts; none where the migration that declares them was not applied yet.
///
/// # Errors
/// When a query fails.
pub async fn read(connection: &mut PgConnection, ledger: &LedgerState, database: &str) -> Result<Vec<Layout>, Error> {
    if !is_declared(ledger) {
        return Ok(Vec::new());
    }
    let failed = database::Error::sql("read the ledger of the performance layer", database);
    Ok(Layout::read_all(connection).await.map_err(failed)?)
}

/// What would be refused of tables that are in their leaves, if it were to be done again: a new clone of the schema, or the
/// next change of a layout. A run that has nothing to do does not ask.
///
/// # Errors
/// When a query fails.
pub async fn warnings(
    connection: &mut PgConnection,
    layouts: &[Layout],
    database: &str,
) -> Result<Vec<Finding>, Error> {
    let mut warnings = Vec::new();
    for layout in layouts.iter().filter(|layout| layout.is_reached()) {
        let failed = database::Error::sql("look for what would stand against a layout", database);
        let found = preflight::standing_obstacles(connection, layout).await.map_err(failed)?;
        warnings.extend(found.into_iter().map(|finding| finding.at(format!("table `{}`", layout.table))));
    }
    Ok(warnings)
}

/// A layout, and what stands against it.
#[derive(Clone, Debug)]
struct Found {
    layout: Layout,
    obstacles: Vec<Finding>,
}

impl Found {
    fn is_refused(&self) -> bool {
        !self.obstacles.is_empty()
    }
}

#[derive(Clone, Debug)]
struct LayoutsPlan(Vec<Found>);

impl Planned for LayoutsPlan {
    fn is_empty(&self) -> bool {
        self.0.iter().all(|found| found.layout.is_reached())
    }

    fn unchanged(&self, database: &str) -> Vec<Step> {
        let reached = self.0.iter().filter(|found| found.layout.is_reached());
        reached.map(|found| step(database, &found.layout, Status::Unchanged)).collect()
    }

    fn pending(&self, database: &str) -> Vec<Step> {
        let wanted = self.0.iter().filter(|found| !found.layout.is_reached() && !found.is_refused());
        wanted.map(|found| step(database, &found.layout, Status::Pending)).collect()
    }

    fn notes(&self) -> Vec<String> {
        let is_laid_out = |found: &Found| found.layout.actual == Shape::Plain && found.layout.desired != Shape::Plain;
        let wanted = self.0.iter().any(|found| is_laid_out(found) && !found.is_refused());
        wanted.then(|| BACKUPS.to_owned()).into_iter().collect()
    }

    fn upkeep(&self) -> Option<Box<dyn Planned>> {
        let are_weeks = |found: &&Found| {
            matches!((&found.layout.actual, &found.layout.desired), (Shape::Weeks { .. }, Shape::Weeks { .. }))
        };
        let in_weeks: Vec<Found> = self.0.iter().filter(are_weeks).cloned().collect();
        (!in_weeks.is_empty()).then(|| Box::new(Self(in_weeks)) as Box<dyn Planned>)
    }

    fn refused(&self) -> Vec<(String, Vec<Finding>)> {
        let refused = self.0.iter().filter(|found| found.is_refused());
        refused.map(|found| (found.layout.table.clone(), found.obstacles.clone())).collect()
    }

    fn apply<'a>(
        &'a self,
        terms: &'a Terms<'a>,
        worker: &'a mut Worker,
        report: &'a mut dyn FnMut(Step),
    ) -> LocalBoxFuture<'a, Result<(), Error>> {
        async move {
            // What stands against one table does not hold up the others.
            let mut refused = Vec::new();
            for found in self.0.iter().filter(|found| terms.includes(&found.layout.table)) {
                match converge(found.layout.clone(), terms, worker, report).await {
                    Err(Error::Relayout(relayout::Error::Refused { tables, .. })) => refused.extend(tables),
                    outcome => outcome?,
                }
            }
            if refused.is_empty() {
                return Ok(());
            }
            Err(relayout::Error::Refused { database: terms.database().to_owned(), tables: refused }.into())
        }
        .boxed_local()
    }
}

/// Brings one table into its layout, a job at a time. One that an earlier run began is finished first, or given up.
async fn converge(
    mut layout: Layout,
    terms: &Terms<'_>,
    worker: &mut Worker,
    report: &mut dyn FnMut(Step),
) -> Result<(), Error> {
    let database = terms.database();
    if layout.is_reached() {
        report(step(database, &layout, Status::Unchanged));
    }
    if let Some(too_large) = left_out(&layout, terms) {
        report(too_large);
        return Ok(());
    }
    let mut abandoned = 0;
    while !layout.is_reached() {
        let started = Instant::now();
        match terms.engine.run(worker, &layout).await? {
            JobEnd::Done(change) => {
                report(converted(database, &layout.table, &change).took(started.elapsed()));
                if change.unfinished {
                    let step = Step::new(database, LAYER, "layout", &layout.table, Status::LeftOut)
                        .detail("the old form is kept while transactions are open that began before the swap")
                        .remedy("run the same command again once they have ended");
                    report(step);
                    break;
                }
            }
            JobEnd::Abandoned if abandoned < MOST_ABANDONED => abandoned += 1,
            JobEnd::Abandoned => {
                return Err(relayout::Error::Outrun { table: layout.table, database: database.to_owned() }.into());
            }
        }
        let failed = database::Error::sql("compare the layout", database);
        let Some(now) = Layout::read(worker, &layout.table).await.map_err(failed)? else { break };
        layout = now;
    }
    Ok(())
}

/// A table that is too large to be converted unasked.
fn left_out(layout: &Layout, terms: &Terms<'_>) -> Option<Step> {
    let estimate = layout.estimate.filter(|estimate| estimate.bytes > terms.most_bytes)?;
    (layout.phase.is_none() && layout.damage.is_empty()).then(|| {
        Step::new(terms.database(), LAYER, "layout", &layout.table, Status::LeftOut)
            .detail(format!("{} asks for a word of yours: {estimate}", layout.desired))
            .remedy("agree with `--yes`, or keep the table as it is with `migrations revert`")
    })
}

fn converted(database: &str, table: &str, change: &Change) -> Step {
    let blocked = change.locked.map(|locked| format!(", writers blocked {}", Elapsed(locked))).unwrap_or_default();
    let braked = change.braked.map(|braked| format!(", {braked}")).unwrap_or_default();
    let detail = format!("to {}, {} rows{blocked}{braked}", change.shape, change.rows);
    Step::new(database, LAYER, "layout", table, Status::Converted).detail(detail)
}

fn step(database: &str, layout: &Layout, status: Status) -> Step {
    let detail = layout.way();
    let detail = match layout.estimate {
        Some(estimate) if layout.phase.is_none() => format!("{detail}: {estimate}"),
        _ => detail,
    };
    Step::new(database, LAYER, "layout", &layout.table, status).detail(detail)
}
