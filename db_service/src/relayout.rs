//! The relayout engine: changes how a live table is stored, and nothing else about it.
//!
//! A job goes through these phases, each of them a transaction or a series of them, so that a kill loses at most one
//! batch; the next run goes on from the journal `db_service.relayout_job`:
//!
//! 1. the new form is made, empty, beside the table (`ddl`);
//! 2. from now on triggers log the key of every row that a writer changes (`capture`);
//! 3. all rows are copied, ranges of the primary key side by side (`backfill`);
//! 4. indexes are built, several at a time (`index`);
//! 5. rows in the log are copied again, until few are left (`drain`);
//! 6. one short transaction locks the table, copies the last ones, and swaps the two forms (`swap`);
//! 7. both forms are compared row by row (`verify`), and the old one is dropped.
//!
//! What is exchanged is the whole table (from a plain one to leaves, and back), or some of its leaves by others that take
//! the same rows: a split, a merge, a split by path. The way is the same, with other things at its ends.

mod backfill;
mod capture;
mod ddl;
mod definition;
mod drain;
mod estimate;
mod index;
mod job;
mod layout;
mod preflight;
mod progress;
mod shape;
mod swap;
mod verify;
mod workers;

use std::cell::Cell;
use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tokio::time::sleep;

pub use estimate::{Bytes, Estimate};
pub use index::Budget;
pub use job::Phase;
pub use layout::Layout;
pub use progress::Progress;
pub use shape::{Leaf, Shape};

use crate::{DatabaseUrl, Error};
use ddl::{NEW, qualified};
use definition::Definition;
use drain::Drain;
use job::Job;
use swap::Swap;

/// How long a finished job waits for transactions that began before its swap.
const PATIENCE_WITH_SNAPSHOTS: Duration = Duration::from_mins(1);

/// Where and with what a job works.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// For the connections that build indexes.
    pub url: &'a DatabaseUrl,
    /// For index builds.
    pub budget: Budget,
    /// What is free on the server's disk, as far as somebody has said it.
    pub free_disk: Option<u64>,
    /// Tables of more bytes are left as they are, until somebody agrees.
    pub most_bytes: u64,
    /// Told what is going on.
    pub progress: &'a Progress<'a>,
}

/// Tables up to this size are converted without asking: 1 GiB, seconds of work.
pub const SMALL: u64 = 1 << 30;

/// How a run ended that did not fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A job came to its end, or as near to it as open transactions let it.
    Done(Change),
    /// A job was given up, because another layout was declared or the table altered since it began. The table is as it
    /// was; its layout is to be read again.
    Abandoned,
}

/// What a job has brought about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The layout that the table has now.
    pub shape: Shape,
    /// Rows copied by the backfill.
    pub rows: i64,
    /// For how long the swap held its lock; none if an earlier run had swapped.
    pub locked: Option<Duration>,
    /// Transactions that began before the swap are still open: the next run finishes the rest.
    pub unfinished: bool,
}

/// Finishes the job that is on its way for a table, or else goes one step from its actual layout towards the desired one.
///
/// The caller holds the [`DatabaseLock`](crate::lock::DatabaseLock) and has prepared the connection by
/// [`prepare_for_changes`](crate::connection::prepare_for_changes).
///
/// # Errors
/// [`Error::RelayoutRefused`] before anything is touched; [`Error::RelayoutOutrun`]; [`Error::RelayoutDiffers`] when the
/// comparison finds a difference, in which case both forms are kept; else what the server said, and the next run goes on.
pub async fn run(context: Context<'_>, connection: &mut PgConnection, layout: &Layout) -> Result<Outcome, Error> {
    let (table, database) = (&layout.table, context.url.database().unwrap_or_default());
    let failed = || Error::sql(&format!("change the layout of table `{table}`"), database);
    let mut job = match Job::unfinished(connection, table).await.map_err(failed())? {
        Some(job) if job.phase < Phase::Swapped && !job.leads_to(&layout.desired) => {
            abandon(&job, connection).await.map_err(failed())?;
            return Ok(Outcome::Abandoned);
        }
        Some(job) => job,
        None => plan(context, connection, layout).await?,
    };
    let mut locked = None;
    while job.phase < Phase::Verified {
        if job.phase == Phase::CatchingUp {
            match swap::run(context, connection, &job, &Drain::new(&job)).await? {
                Swap::Done(time) => {
                    job.phase = Phase::Swapped;
                    locked = Some(time);
                }
                Swap::Outrun => {
                    return Err(Error::RelayoutOutrun { table: table.clone(), database: database.to_owned() });
                }
                Swap::Altered => {
                    abandon(&job, connection).await.map_err(failed())?;
                    context.progress.say(|| format!("Table `{table}` was altered meanwhile, starting anew"));
                    return Ok(Outcome::Abandoned);
                }
            }
        } else if job.phase == Phase::Swapped {
            let busy = |rows: i64| context.progress.say(|| format!("Comparing table `{table}`: {rows} rows"));
            let rows = verify::differences(context.url, connection, context.budget.jobs, &job, busy).await?;
            if rows > 0 {
                return Err(Error::RelayoutDiffers { table: table.clone(), database: database.to_owned(), rows });
            }
            if !settle(context, &mut job, connection).await.map_err(failed())? {
                let rows = backfill::rows_copied(&job, connection).await.map_err(failed())?;
                return Ok(Outcome::Done(Change { shape: job.target, rows, locked, unfinished: true }));
            }
        } else {
            prepare(context, &mut job, connection).await?;
        }
    }
    advance(&mut job, connection, ddl::clean, Phase::Cleaned).await.map_err(failed())?;
    let rows = backfill::rows_copied(&job, connection).await.map_err(failed())?;
    Ok(Outcome::Done(Change { shape: job.target, rows, locked, unfinished: false }))
}

/// Puts the change log of a job on a plain table, for measuring what it costs: in a transaction that is rolled back.
///
/// # Errors
/// When a statement fails.
pub async fn install_change_log(transaction: &mut PgConnection, table: &str) -> Result<(), sqlx::Error> {
    let public = qualified("public", table);
    let Some(definition) = Definition::read(transaction, &public).await? else { return Err(sqlx::Error::RowNotFound) };
    let trees = [capture::Tree { root: public, below: Vec::new() }];
    let statements =
        [vec!["CREATE SCHEMA IF NOT EXISTS db_service".to_owned()], capture::install(table, &definition, &trees)];
    sqlx::raw_sql(AssertSqlSafe(statements.concat().join(";\n"))).execute(transaction).await.map(drop)
}

/// Rows that differ between the old and the new form of a table; none if there are not both.
///
/// # Errors
/// When a query fails.
pub async fn differences(url: &DatabaseUrl, connection: &mut PgConnection, table: &str) -> Result<Option<i64>, Error> {
    let failed = Error::sql("read the journal", url.database().unwrap_or_default());
    match Job::unfinished(connection, table).await.map_err(failed)? {
        Some(job) if job.phase == Phase::Swapped => {
            verify::differences(url, connection, 1, &job, |_| ()).await.map(Some)
        }
        _ => Ok(None),
    }
}

async fn plan(context: Context<'_>, connection: &mut PgConnection, layout: &Layout) -> Result<Job, Error> {
    let (table, database) = (&layout.table, context.url.database().unwrap_or_default());
    let failed = || Error::sql(&format!("plan the layout of table `{table}`"), database);
    let reasons = obstacles(connection, layout, context.free_disk).await.map_err(failed())?;
    let definition = Definition::read(connection, &qualified("public", table)).await.map_err(failed())?;
    match definition {
        Some(definition) if reasons.is_empty() => Job::plan(connection, layout, definition).await.map_err(failed()),
        _ => Err(Error::RelayoutRefused { table: table.clone(), database: database.to_owned(), reasons }),
    }
}

/// What stands against changing a table's storage. Writes nothing.
///
/// # Errors
/// When a query fails.
pub async fn obstacles(
    connection: &mut PgConnection,
    layout: &Layout,
    free_disk: Option<u64>,
) -> Result<Vec<String>, sqlx::Error> {
    let public = qualified("public", &layout.table);
    let Some(definition) = Definition::read(connection, &public).await? else {
        return Ok(vec!["it does not exist".to_owned()]);
    };
    let mut reasons = layout.damage.clone();
    let target = layout.actual.step_towards(&layout.desired);
    reasons.extend(preflight::check(&definition, &target.keys()));
    let dependents = sqlx::query_file!("queries/dependents.sql", public).fetch_all(&mut *connection).await?;
    let fixed = dependents.into_iter().filter(|dependent| dependent.statement.is_none());
    reasons.extend(fixed.map(|dependent| format!("{} depends on it and cannot be made anew", dependent.object)));
    for leaf in layout.actual.leaves().iter().filter(|leaf| !target.leaves().contains(leaf)) {
        for schema in std::iter::once(leaf.schema()).chain(leaf.storage()) {
            let name = qualified(&schema, &layout.table);
            let dependents = sqlx::query_file!("queries/dependents.sql", name).fetch_all(&mut *connection).await?;
            reasons.extend(dependents.into_iter().map(|it| format!("{} depends on its leaf {name}", it.object)));
        }
    }
    let needed = Estimate::read(connection, layout).await?.bytes;
    if let Some(free) = free_disk.filter(|free| *free < needed) {
        reasons.push(format!("it needs about {} of disk, and {} are free", Bytes(needed), Bytes(free)));
    }
    let server =
        sqlx::query_file_as!(preflight::Server, "queries/server_obstacles.sql", public).fetch_one(connection).await?;
    reasons.extend(preflight::check_server(&server, &definition, &target));
    Ok(reasons)
}

/// One phase before the swap.
async fn prepare(context: Context<'_>, job: &mut Job, connection: &mut PgConnection) -> Result<(), Error> {
    let table = job.table.clone();
    let database = context.url.database().unwrap_or_default();
    let failed = || Error::sql(&format!("change the layout of table `{table}`"), database);
    let (statements, next): (fn(&Job) -> Vec<String>, _) = match job.phase {
        Phase::Planned => (ddl::shadow, Phase::Shadow),
        Phase::Shadow => (|job| capture::install(&job.table, &job.definition, &job.old_trees()), Phase::Capturing),
        Phase::Capturing => return backfill::begin(job, connection).await.map_err(failed()),
        Phase::Backfilling => {
            fill(context, job, connection).await?;
            (|_| Vec::new(), Phase::Indexing)
        }
        _ => {
            let busy = |done: usize, total: usize| {
                context.progress.say(|| format!("Building the indexes of `{table}`: {done} of {total}"));
            };
            index::build(context.url, connection, job, context.budget, busy).await?;
            let analyze = format!("ANALYZE {}", qualified(NEW, &table));
            sqlx::raw_sql(AssertSqlSafe(analyze)).execute(&mut *connection).await.map_err(failed())?;
            (ddl::attach_indexes, Phase::CatchingUp)
        }
    };
    advance(job, connection, statements, next).await.map_err(failed())
}

/// Copies all rows, ranges side by side.
async fn fill(context: Context<'_>, job: &Job, connection: &mut PgConnection) -> Result<(), Error> {
    let (table, database) = (&job.table, context.url.database().unwrap_or_default());
    let failed = |error| Error::sql(&format!("copy the rows of table `{table}`"), database)(error);
    let ranges = backfill::unfinished(job, connection).await.map_err(failed)?;
    let before = backfill::rows_copied(job, connection).await.map_err(failed)?;
    let estimate = Estimate::of(connection, &job.sources()).await.map_err(failed)?;
    let rate = progress::Rate::new(before, estimate);
    let has_failed = Cell::new(false);
    let copy = async |connection: &mut PgConnection, range| {
        let copied = |rows| {
            rate.count(rows);
            context.progress.say(|| format!("Copying table `{table}`: {rate}"));
            !has_failed.get()
        };
        let outcome = backfill::copy(job, range, connection, copied).await;
        has_failed.set(has_failed.get() || outcome.is_err());
        outcome
    };
    workers::work_off(context.url, connection, context.budget.jobs, ranges, failed, copy).await
}

/// Takes the last triggers away, as soon as no transaction from before the swap is left; false if one stays too long.
async fn settle(context: Context<'_>, job: &mut Job, connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let started = Instant::now();
    let now =
        sqlx::query_scalar!(r#"SELECT pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::text AS "xmax!""#)
            .fetch_one(&mut *connection)
            .await?;
    while sqlx::query_file_scalar!("queries/older_snapshots.sql", now).fetch_one(&mut *connection).await? {
        if started.elapsed() > PATIENCE_WITH_SNAPSHOTS {
            return Ok(false);
        }
        let table = &job.table;
        context.progress.say(|| format!("Waiting for transactions that are older than the new layout of `{table}`"));
        sleep(Duration::from_millis(100)).await;
    }
    advance(job, connection, |job| capture::settle(&job.table, &job.new_trees()), Phase::Verified).await?;
    Ok(true)
}

/// Gives a job up and takes away what it has made. The table itself is as it was.
async fn abandon(job: &Job, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    advance(&mut job.clone(), connection, ddl::abandon, Phase::Abandoned).await
}

/// Runs statements and moves the job on, in one transaction; asks for locks in short attempts.
async fn advance(
    job: &mut Job,
    connection: &mut PgConnection,
    statements: fn(&Job) -> Vec<String>,
    to: Phase,
) -> Result<(), sqlx::Error> {
    let text = statements(job).join(";\n");
    let mut timeout = Duration::from_millis(100);
    loop {
        let outcome = async {
            let mut transaction = connection.begin().await?;
            if matches!(to, Phase::Capturing | Phase::Verified | Phase::Abandoned) {
                swap::hold_off_vacuum(&mut transaction, &qualified("public", &job.table)).await?;
            }
            let settings = format!("SET LOCAL lock_timeout = '{}ms'", timeout.as_millis());
            sqlx::raw_sql(AssertSqlSafe(settings)).execute(&mut *transaction).await?;
            sqlx::raw_sql(AssertSqlSafe(text.clone())).execute(&mut *transaction).await?;
            job.advance(&mut transaction, to).await?;
            transaction.commit().await
        };
        match outcome.await {
            Err(error) if swap::is_lock_trouble(&error) && timeout < Duration::from_secs(10) => {
                sleep(timeout * 2).await;
                timeout = timeout * 3 / 2;
            }
            Ok(()) => {
                job.phase = to;
                return Ok(());
            }
            Err(error) => return Err(error),
        }
    }
}
