//! Copying rows: ranges of the primary key side by side, each batch by batch in the order of the key.
//!
//! Ranges and batches are disjoint, so no key is copied twice: the copy needs no unique index meanwhile, and all indexes
//! are built afterwards.

use std::cell::Cell;
use std::time::Instant;

use database::quote::identifier;
use database::transaction::{self, End};
use database::{DatabaseLock, Relation, Statement, Worker};
use sqlx::{AssertSqlSafe, PgConnection};
use terminal::activity::{Activity, Count, Unit};

use crate::batch::BatchSize;
use crate::budget::Budget;
use crate::error::Error;
use crate::job::Job;
use crate::job::range::{self, Range};
use crate::key_order;
use crate::layout::Estimate;
use crate::table::definition::Definition;
use crate::workers;

const FIRST_BATCH: i64 = 500;
const LARGEST_BATCH: i64 = 50_000;

/// Rows of a range, more or less: enough ranges for all workers to be busy until the end.
const RANGE_ROWS: i64 = 100_000;
const MOST_RANGES: i64 = 256;
/// Rows that are read to find where a range ends, and the least share of the table's pages.
const SAMPLE: i64 = 100;
const LEAST_PERCENT: f64 = 2.0;

/// Divides the rows of all sources into ranges.
pub(crate) async fn divide(job: &Job, connection: &mut PgConnection) -> Result<Vec<Range>, sqlx::Error> {
    let mut ranges = Vec::new();
    for source in job.sources() {
        let mut after = None;
        let ends = ends_of_ranges(connection, &source, &job.definition).await?;
        for until in ends.into_iter().map(Some).chain([None]) {
            let number = i32::try_from(ranges.len()).unwrap_or(i32::MAX);
            ranges.push(Range { number, source: source.clone(), after, until: until.clone() });
            after = until;
        }
    }
    Ok(ranges)
}

/// Copies all rows, ranges side by side.
pub(crate) async fn copy(
    lock: &DatabaseLock,
    worker: &mut Worker,
    budget: Budget,
    job: &Job,
    activity: &dyn Activity,
) -> Result<(), Error> {
    let table = &job.table;
    let failed = Error::during(&format!("copy the rows of table `{table}`"), lock.url().database());
    let ranges = range::unfinished(job, worker).await.map_err(&failed)?;
    let before = range::rows_copied(job, worker).await.map_err(&failed)?;
    let estimate = Estimate::of(worker, &job.sources()).await.map_err(&failed)?;
    let count = Count::about(Unit::Rows, before.unsigned_abs(), estimate.rows.max(before.unsigned_abs()));
    activity.phase("copying", Some(count));
    let has_failed = Cell::new(false);
    let copy = async |worker: &mut Worker, range| {
        let copied = |rows: i64| {
            activity.advanced(rows.unsigned_abs());
            !has_failed.get()
        };
        let outcome = copy_range(job, range, worker, copied).await;
        has_failed.set(has_failed.get() || outcome.is_err());
        outcome
    };
    workers::work_off(lock, worker, budget.jobs, ranges, failed, copy).await
}

/// What is run for a batch, for showing it.
pub(crate) fn example(job: &Job) -> Vec<Statement> {
    let of = |source: &Relation| {
        let statements = Statements::new(source, &job.shadow(), &job.definition);
        Statement::new("a batch of rows, as often as it takes", statements.batch[1][1].clone())
    };
    job.sources().iter().map(of).collect()
}

/// Keys that divide a table into ranges of about the same size, from a sample of its pages.
async fn ends_of_ranges(
    connection: &mut PgConnection,
    source: &Relation,
    definition: &Definition,
) -> Result<Vec<Vec<String>>, sqlx::Error> {
    // Pages times rows a page: statistics of rows may be missing.
    let rows: i64 = sqlx::query_scalar!(
        r#"SELECT GREATEST(c.reltuples, s.n_live_tup, 0)::bigint AS "rows!"
           FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_stat_all_tables s ON s.relid = c.oid
           WHERE c.oid = pg_catalog.to_regclass($1)"#,
        source.to_string()
    )
    .fetch_one(&mut *connection)
    .await?;
    let parts = (rows / RANGE_ROWS).clamp(1, MOST_RANGES);
    if parts == 1 {
        return Ok(Vec::new());
    }
    let percent = 100.0 * to_float(parts * SAMPLE) / to_float(rows);
    let (keys, as_text) = (definition.key_columns(""), definition.key_as_text());
    let query = format!(
        "SELECT DISTINCT ON (part) ARRAY[{as_text}]
         FROM (SELECT {keys}, pg_catalog.ntile($1) OVER (ORDER BY {keys}) AS part
               FROM {source} TABLESAMPLE SYSTEM ($2)) sample
         WHERE part < $1 ORDER BY part, {}",
        definition.key().iter().map(|name| format!("{} DESC", identifier(name))).collect::<Vec<_>>().join(", ")
    );
    let parts = i32::try_from(parts).unwrap_or(1);
    sqlx::query_scalar(AssertSqlSafe(query))
        .bind(parts)
        .bind(percent.clamp(LEAST_PERCENT, 100.0))
        .fetch_all(connection)
        .await
}

fn to_float(number: i64) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

/// Copies one range from where it stands; `copied` gets the number of rows of each batch, and may end it by false.
async fn copy_range(
    job: &Job,
    mut range: Range,
    worker: &mut Worker,
    copied: impl Fn(i64) -> bool,
) -> Result<(), sqlx::Error> {
    let statements = Statements::new(&range.source, &job.shadow(), &job.definition);
    let mut size = BatchSize::new(FIRST_BATCH, LARGEST_BATCH);
    loop {
        let started = Instant::now();
        let (end, rows) = transaction::run(worker, transaction::CHANGE, async |connection| {
            key_order::follow(connection).await?;
            let (end, rows) = statements.copy_batch(connection, &range, size.rows()).await?;
            range.note(job, end.as_deref(), rows, connection).await?;
            Ok(End::Commit((end, rows)))
        })
        .await?;
        if !copied(rows) || end.is_none() {
            return Ok(());
        }
        range.after = end;
        size.adapt(started.elapsed());
    }
}

/// The statements for one range, by `[usize::from(it has a start)][usize::from(it has an end)]`.
#[derive(Debug)]
struct Statements {
    end_of_batch: [[String; 2]; 2],
    batch: [[String; 2]; 2],
}

impl Statements {
    fn new(source: &Relation, target: &Relation, definition: &Definition) -> Self {
        let columns = definition.copied_columns();
        let (keys, as_text) = (definition.key_columns(""), definition.key_as_text());
        // All parameters have a type, also where the condition does not name them.
        let typed = "WITH parameters AS (SELECT $1::text[], $2::text[])";
        let each = |text: &dyn Fn(&str) -> String| {
            [false, true].map(|from| {
                [false, true].map(|to| {
                    let conditions = [(from, 1, ">"), (to, 2, "<=")]
                        .into_iter()
                        .filter(|(is_bound, ..)| *is_bound)
                        .map(|(_, parameter, operator)| {
                            format!("({keys}) {operator} ({})", definition.bound_key(parameter))
                        })
                        .collect::<Vec<_>>()
                        .join(" AND ");
                    let filter = if conditions.is_empty() { String::new() } else { format!("WHERE {conditions}") };
                    text(&filter)
                })
            })
        };
        Self {
            end_of_batch: each(&|filter| {
                format!(
                    "{typed} SELECT ARRAY[{as_text}] FROM {source} {filter} ORDER BY {keys} OFFSET $3::bigint - 1 LIMIT 1"
                )
            }),
            batch: each(&|filter| {
                format!(
                    "{typed} INSERT INTO {target} ({columns}) SELECT {columns} FROM {source} {filter} ORDER BY {keys}"
                )
            }),
        }
    }

    /// Copies the next rows; the last one's key, unless the range ends before, and how many.
    async fn copy_batch(
        &self,
        transaction: &mut PgConnection,
        range: &Range,
        size: i64,
    ) -> Result<(Option<Vec<String>>, i64), sqlx::Error> {
        let (from, to) = (usize::from(range.after.is_some()), usize::from(range.until.is_some()));
        let end: Option<Vec<String>> = sqlx::query_scalar(AssertSqlSafe(self.end_of_batch[from][to].clone()))
            .bind(&range.after)
            .bind(&range.until)
            .bind(size)
            .fetch_optional(&mut *transaction)
            .await?;
        let until = end.as_ref().or(range.until.as_ref());
        let batch = self.batch[from][usize::from(until.is_some())].clone();
        let copied = sqlx::query(AssertSqlSafe(batch)).bind(&range.after).bind(until).execute(transaction).await?;
        Ok((end, i64::try_from(copied.rows_affected()).unwrap_or(i64::MAX)))
    }
}
