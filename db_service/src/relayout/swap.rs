//! The swap: one short transaction in which the new form takes the table's place.

use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tokio::time::sleep;

use super::Context;
use super::backfill::follow_the_key;
use super::capture;
use super::ddl::{self, qualified};
use super::definition::Definition;
use super::drain::{Drain, Share};
use super::job::{Job, Phase};
use super::layout::Layout;
use crate::Error;
use crate::connection::sql_state;

/// How often the lock is asked for before we give up.
const ATTEMPTS: u32 = 60;
/// A waiting request for the lock stops everybody behind it: so each is short, and the pause after it longer.
const FIRST_TIMEOUT: Duration = Duration::from_millis(100);
const LAST_TIMEOUT: Duration = Duration::from_secs(1);
/// More entries in the log than this are drained before the next attempt, without the lock.
const SHORT_LOG: i64 = 200;

/// How a swap ended that did not fail.
#[derive(Debug)]
pub(crate) enum Swap {
    /// Done; for so long the table was locked.
    Done(Duration),
    /// Somebody has altered the table since the job began.
    Altered,
    /// Writers change more rows than can be copied again in the same time.
    Outrun,
}

/// What came of one attempt.
enum Attempt {
    Swapped(Swap),
    /// The log has grown too long to be drained under the lock.
    LogTooLong,
}

/// Swaps, as often as it takes to get the lock.
pub(crate) async fn run(
    context: Context<'_>,
    connection: &mut PgConnection,
    job: &Job,
    drain: &Drain,
) -> Result<Swap, Error> {
    let database = context.url.database().unwrap_or_default();
    let mut timeout = FIRST_TIMEOUT;
    for attempt in 1..=ATTEMPTS {
        drain.catch_up(context.url, connection, context.budget, Duration::from_mins(5)).await?;
        match try_once(connection, job, drain, timeout).await {
            Ok(Attempt::Swapped(swap)) => return Ok(swap),
            Ok(Attempt::LogTooLong) => {}
            Err(error) if attempt < ATTEMPTS && is_lock_trouble(&error) => {
                // No two runners, no rhythm with somebody else's timer.
                let jitter = Duration::from_micros(u64::from(std::process::id() % 997) * u64::from(attempt));
                sleep(timeout * 2 + jitter).await;
                timeout = (timeout * 3 / 2).min(LAST_TIMEOUT);
            }
            Err(error) => {
                return Err(Error::sql(&format!("change the layout of table `{}`", job.table), database)(error));
            }
        }
    }
    Ok(Swap::Outrun)
}

/// Waited too long for a lock, or stood in somebody's way.
pub(crate) fn is_lock_trouble(error: &sqlx::Error) -> bool {
    matches!(sql_state(error).as_deref(), Some("55P03" | "40P01"))
}

async fn try_once(
    connection: &mut PgConnection,
    job: &Job,
    drain: &Drain,
    timeout: Duration,
) -> Result<Attempt, sqlx::Error> {
    let public = qualified("public", &job.table);
    let mut transaction = connection.begin_with("BEGIN ISOLATION LEVEL READ COMMITTED").await?;
    // Views first, as their readers do.
    let views = dependents(&mut transaction, job).await?;
    let mut locked: Vec<String> = views.into_iter().filter_map(|dependent| dependent.view).collect();
    locked.push(public.clone());
    hold_off_vacuum(&mut transaction, &public).await?;
    let lock = format!(
        "SET LOCAL lock_timeout = '{}ms'; LOCK TABLE {} IN ACCESS EXCLUSIVE MODE",
        timeout.as_millis(),
        locked.join(", ")
    );
    sqlx::raw_sql(AssertSqlSafe(lock)).execute(&mut *transaction).await?;
    let started = Instant::now();
    let waiting = format!("SELECT count(*) FROM (SELECT FROM {} LIMIT {}) l", capture::log(&job.table), SHORT_LOG + 1);
    let waiting: i64 = sqlx::query_scalar(AssertSqlSafe(waiting)).fetch_one(&mut *transaction).await?;
    if waiting > SHORT_LOG {
        return Ok(Attempt::LogTooLong);
    }
    let layout = Layout::read(&mut transaction, &job.table).await?;
    if Definition::read(&mut transaction, &public).await?.as_ref() != Some(&job.definition)
        || !layout.is_some_and(|layout| layout.damage.is_empty() && layout.actual == job.source)
    {
        return Ok(Attempt::Swapped(Swap::Altered));
    }
    // Read under the lock: from now on nobody makes another one.
    let dependents = dependents(&mut transaction, job).await?;
    follow_the_key(&mut transaction).await?;
    while drain.round(&mut transaction, Share::WHOLE).await? > 0 {}
    let mut statements = ddl::swap(job);
    statements.extend(dependents.into_iter().filter_map(|dependent| dependent.statement));
    sqlx::raw_sql(AssertSqlSafe(statements.join(";\n"))).execute(&mut *transaction).await?;
    job.advance(&mut transaction, Phase::Swapped).await?;
    transaction.commit().await?;
    Ok(Attempt::Swapped(Swap::Done(started.elapsed())))
}

/// Takes a lock that autovacuum conflicts with and writers do not, so that waiting for it stops nobody; the server ends an
/// autovacuum that somebody waits for after that one's `deadlock_timeout`, a second by default, less for us where we may
/// say so. Asking for a stronger lock at once would make all writers wait behind us for as long as the vacuum takes.
pub(crate) async fn hold_off_vacuum(transaction: &mut PgConnection, relation: &str) -> Result<(), sqlx::Error> {
    let lock = format!(
        "SELECT pg_catalog.set_config('deadlock_timeout', '100ms', true)
         WHERE pg_catalog.has_parameter_privilege('deadlock_timeout', 'SET');
         SET LOCAL lock_timeout = '10s'; LOCK TABLE {relation} IN SHARE UPDATE EXCLUSIVE MODE"
    );
    sqlx::raw_sql(AssertSqlSafe(lock)).execute(transaction).await.map(drop)
}

struct Dependent {
    view: Option<String>,
    statement: Option<String>,
}

/// What has to be made anew because it would follow the old form; nothing where the table itself stays.
async fn dependents(transaction: &mut PgConnection, job: &Job) -> Result<Vec<Dependent>, sqlx::Error> {
    if job.exchanged().is_some() {
        return Ok(Vec::new());
    }
    let public = qualified("public", &job.table);
    let rows = sqlx::query_file!("queries/dependents.sql", public).fetch_all(transaction).await?;
    Ok(rows.into_iter().map(|row| Dependent { view: row.view, statement: row.statement }).collect())
}
