//! The relayout engine: changes how a live table is stored, and nothing else about it.
//!
//! A job goes through these phases, each of them a transaction or a series of them, so that a kill loses at most one
//! batch; the next run goes on from the journal `db_service.relayout_job`:
//!
//! 1. the new form is made, empty, beside the table (`ddl`);
//! 2. from now on triggers log the key of every row that a writer changes;
//! 3. all rows are copied in the order of the primary key (`copy`);
//! 4. indexes are built, several at a time (`index`);
//! 5. rows in the log are copied again, until few are left;
//! 6. one short transaction locks the table, copies the last ones, and swaps the two forms (`swap`);
//! 7. both forms are compared row by row (`verify`), and the old one is dropped.
//!
//! The way back, from leaves to a plain table, is the same way with another target.

mod copy;
mod ddl;
mod definition;
mod index;
mod job;
mod preflight;
mod progress;
mod shape;
mod swap;
mod verify;

use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tokio::time::sleep;

pub use index::Budget;
pub use job::Phase;
pub use progress::Progress;
pub use shape::{Leaf, Shape};

use crate::{DatabaseUrl, Error};
use copy::Copy;
use ddl::{NEW, OLD, qualified};
use definition::Definition;
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
    /// Told what is going on.
    pub progress: &'a Progress<'a>,
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

/// Finishes the job that is on its way for a table, or else brings its storage into the form of `target`.
///
/// The caller holds the [`DatabaseLock`](crate::lock::DatabaseLock) and has prepared the connection by
/// [`prepare_for_changes`](crate::connection::prepare_for_changes).
///
/// # Errors
/// [`Error::RelayoutRefused`] before anything is touched; [`Error::RelayoutOutrun`]; [`Error::RelayoutDiffers`] when the comparison finds a
/// difference, in which case both forms are kept; else what the server said, and the next run goes on.
pub async fn run(
    context: Context<'_>,
    connection: &mut PgConnection,
    table: &str,
    partition_key: &str,
    target: &Shape,
) -> Result<Change, Error> {
    let database = context.url.database().unwrap_or_default();
    let failed = || Error::sql(&format!("change the layout of table `{table}`"), database);
    let unfinished = Job::unfinished(connection, table).await.map_err(failed())?;
    let mut job = match unfinished {
        Some(job) if job.phase < Phase::Swapped && job.target != *target => {
            abandon(&job, connection).await.map_err(failed())?;
            plan(connection, table, partition_key, target, database).await?
        }
        Some(job) => job,
        None => plan(connection, table, partition_key, target, database).await?,
    };
    let mut locked = None;
    while job.phase < Phase::Verified {
        if job.phase == Phase::CatchingUp {
            match replace(&job, connection).await.map_err(failed())? {
                Swap::Done(time) => {
                    job.phase = Phase::Swapped;
                    locked = Some(time);
                }
                Swap::Outrun => {
                    return Err(Error::RelayoutOutrun { table: table.to_owned(), database: database.to_owned() });
                }
                Swap::Altered => {
                    abandon(&job, connection).await.map_err(failed())?;
                    context.progress.say(|| format!("Table `{table}` was altered meanwhile, starting anew"));
                    job = plan(connection, table, partition_key, target, database).await?;
                }
            }
        } else if job.phase == Phase::Swapped {
            let different = compare(context, &job, connection).await.map_err(failed())?;
            if different > 0 {
                return Err(Error::RelayoutDiffers {
                    table: table.to_owned(),
                    database: database.to_owned(),
                    rows: different,
                });
            }
            if !settle(context, &mut job, connection).await.map_err(failed())? {
                return Ok(Change { shape: job.target, rows: job.rows_copied, locked, unfinished: true });
            }
        } else {
            prepare(context, &mut job, connection).await?;
        }
    }
    clean(&job, connection).await.map_err(failed())?;
    Ok(Change { shape: job.target, rows: job.rows_copied, locked, unfinished: false })
}

async fn plan(
    connection: &mut PgConnection,
    table: &str,
    partition_key: &str,
    target: &Shape,
    database: &str,
) -> Result<Job, Error> {
    let failed = || Error::sql(&format!("plan the layout of table `{table}`"), database);
    let reasons = obstacles(connection, table, partition_key).await.map_err(failed())?;
    let definition = Definition::read(connection, &qualified("public", table)).await.map_err(failed())?;
    match definition {
        Some(definition) if reasons.is_empty() => {
            Job::plan(connection, table, target.clone(), definition).await.map_err(failed())
        }
        _ => Err(Error::RelayoutRefused { table: table.to_owned(), database: database.to_owned(), reasons }),
    }
}

/// What stands against changing a table's storage. Writes nothing.
///
/// # Errors
/// When a query fails.
pub async fn obstacles(
    connection: &mut PgConnection,
    table: &str,
    partition_key: &str,
) -> Result<Vec<String>, sqlx::Error> {
    let public = qualified("public", table);
    let Some(definition) = Definition::read(connection, &public).await? else {
        return Ok(vec!["it does not exist".to_owned()]);
    };
    let mut reasons = preflight::check(&definition, partition_key);
    let dependents = sqlx::query_file!("queries/dependents.sql", public).fetch_all(&mut *connection).await?;
    let fixed = dependents.into_iter().filter(|dependent| dependent.statement.is_none());
    reasons.extend(fixed.map(|dependent| format!("{} depends on it and cannot be made anew", dependent.object)));
    let leaves = sqlx::query_file!("queries/leaves.sql", public).fetch_all(&mut *connection).await?;
    reasons.extend(leaves.iter().filter(|leaf| leaf.detach_pending).map(|leaf| {
        format!(
            "its leaf `{0}.{1}` is half detached: run `ALTER TABLE {public} DETACH PARTITION {0}.{1} FINALIZE`",
            leaf.schema, leaf.name
        )
    }));
    let server = sqlx::query_file!("queries/server_obstacles.sql", public).fetch_one(connection).await?;
    if server.is_standby {
        reasons.push("this server is a standby".to_owned());
    }
    if !server.owns {
        reasons.push(format!("the role `{}` neither owns it nor is a member of its owner", server.role));
    }
    Ok(reasons)
}

/// One phase before the swap.
async fn prepare(context: Context<'_>, job: &mut Job, connection: &mut PgConnection) -> Result<(), Error> {
    let table = job.table.clone();
    let database = context.url.database().unwrap_or_default();
    let failed = || Error::sql(&format!("change the layout of table `{table}`"), database);
    let (statements, next) = match job.phase {
        Phase::Planned => (ddl::shadow(&table, &job.definition, &job.target), Phase::Shadow),
        Phase::Shadow => {
            let leaves = leaves(connection, &qualified("public", &table)).await.map_err(failed())?;
            (ddl::capture(&table, &job.definition, &qualified("public", &table), &leaves), Phase::Capturing)
        }
        Phase::Capturing => (Vec::new(), Phase::Backfilling),
        Phase::Backfilling => {
            let copy = Copy::new(&table, &job.definition);
            let busy = |rows: i64| context.progress.say(|| format!("Copying table `{table}`: {rows} rows"));
            copy.backfill(connection, job, busy).await.map_err(failed())?;
            (Vec::new(), Phase::Indexing)
        }
        _ => {
            let busy = |done: usize, total: usize| {
                context.progress.say(|| format!("Building the indexes of `{table}`: {done} of {total}"));
            };
            let (definition, target) = (&job.definition, &job.target);
            index::build(context.url, connection, &table, definition, target, context.budget, busy).await?;
            let analyze = format!("ANALYZE {}", qualified(NEW, &table));
            sqlx::raw_sql(AssertSqlSafe(analyze)).execute(&mut *connection).await.map_err(failed())?;
            (ddl::attach_indexes(&table, &job.definition, job.target.leaves()), Phase::CatchingUp)
        }
    };
    advance(job, connection, &statements, next).await.map_err(failed())
}

async fn replace(job: &Job, connection: &mut PgConnection) -> Result<Swap, sqlx::Error> {
    let copy = Copy::new(&job.table, &job.definition);
    let leaves = leaves(connection, &qualified(NEW, &job.table)).await?;
    swap::run(connection, job, &copy, &leaves).await
}

async fn compare(context: Context<'_>, job: &Job, connection: &mut PgConnection) -> Result<i64, sqlx::Error> {
    let table = &job.table;
    let busy = |rows: i64| context.progress.say(|| format!("Comparing table `{table}`: {rows} rows"));
    verify::differences(connection, (OLD, "public"), table, &job.definition, busy).await
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
    let leaves = leaves(connection, &qualified("public", &job.table)).await?;
    let statements = ddl::settle(&job.table, &leaves);
    advance(job, connection, &statements, Phase::Verified).await?;
    Ok(true)
}

async fn clean(job: &Job, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let mut statements = ddl::clean(&job.table, OLD);
    statements.extend(ddl::drop_empty_schemas());
    advance(&mut job.clone(), connection, &statements, Phase::Cleaned).await
}

/// Gives a job up and takes away what it has made. The table itself is as it was.
async fn abandon(job: &Job, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let leaves = leaves(connection, &qualified("public", &job.table)).await?;
    let mut statements = ddl::settle(&job.table, &leaves);
    statements.extend(ddl::clean(&job.table, NEW));
    statements.extend(ddl::drop_empty_schemas());
    advance(&mut job.clone(), connection, &statements, Phase::Abandoned).await
}

/// Runs statements and moves the job on, in one transaction; asks for locks in short attempts.
async fn advance(
    job: &mut Job,
    connection: &mut PgConnection,
    statements: &[String],
    to: Phase,
) -> Result<(), sqlx::Error> {
    let text = statements.join(";\n");
    let mut timeout = Duration::from_millis(100);
    loop {
        let outcome = async {
            let mut transaction = connection.begin().await?;
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

/// The leaves of a table, quoted and with their schemas; none of a plain one.
async fn leaves(connection: &mut PgConnection, relation: &str) -> Result<Vec<String>, sqlx::Error> {
    let leaves = sqlx::query_file!("queries/leaves.sql", relation).fetch_all(connection).await?;
    Ok(leaves.into_iter().map(|leaf| qualified(&leaf.schema, &leaf.name)).collect())
}
