//! Copying rows: ranges of the primary key side by side, each batch by batch in the order of the key.
//!
//! Ranges and batches are disjoint, so no key is copied twice: the copy needs no unique index meanwhile, and all indexes
//! are built afterwards.

use std::cell::Cell;
use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use super::ddl::{NEW, list, qualified};
use super::definition::Definition;
use super::job::{Job, Phase};

/// How long one batch should take: what is lost by a kill, and how old the snapshot gets that vacuum has to respect.
const BATCH_TIME: Duration = Duration::from_millis(300);
const FIRST_BATCH: i64 = 500;
const LARGEST_BATCH: i64 = 50_000;

/// Rows of a range, more or less: enough ranges for all workers to be busy until the end.
const RANGE_ROWS: i64 = 100_000;
const MOST_RANGES: i64 = 256;
/// Rows that are read to find where a range ends, and the least share of the table's pages.
const SAMPLE: i64 = 100;
const LEAST_PERCENT: f64 = 2.0;

/// Rows of one table from one key to another, and how far they are copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    number: i32,
    pub(crate) source: String,
    /// Key of the last row before it, or of the last one copied.
    pub(crate) after: Option<Vec<String>>,
    /// Key of its last row.
    pub(crate) until: Option<Vec<String>>,
}

/// Divides the rows into ranges and moves the job on.
pub(crate) async fn begin(job: &mut Job, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
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
    let mut transaction = connection.begin().await?;
    for range in &ranges {
        sqlx::query!(
            "INSERT INTO db_service.relayout_range (job_id, number, source, after, until) VALUES ($1, $2, $3, $4, $5)",
            job.id,
            range.number,
            range.source,
            range.after.as_deref(),
            range.until.as_deref()
        )
        .execute(&mut *transaction)
        .await?;
    }
    job.advance(&mut transaction, Phase::Backfilling).await?;
    transaction.commit().await?;
    job.phase = Phase::Backfilling;
    Ok(())
}

/// Keys that divide a table into ranges of about the same size, from a sample of its pages.
async fn ends_of_ranges(
    connection: &mut PgConnection,
    source: &str,
    definition: &Definition,
) -> Result<Vec<Vec<String>>, sqlx::Error> {
    // Pages times rows a page: statistics of rows may be missing.
    let rows: i64 = sqlx::query_scalar!(
        r#"SELECT GREATEST(c.reltuples, s.n_live_tup, 0)::bigint AS "rows!"
           FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_stat_all_tables s ON s.relid = c.oid
           WHERE c.oid = pg_catalog.to_regclass($1)"#,
        source
    )
    .fetch_one(&mut *connection)
    .await?;
    let parts = (rows / RANGE_ROWS).clamp(1, MOST_RANGES);
    if parts == 1 {
        return Ok(Vec::new());
    }
    let percent = 100.0 * to_float(parts * SAMPLE) / to_float(rows);
    let (keys, as_text) = (list("", definition.key()), definition.key_as_text());
    let query = format!(
        "SELECT DISTINCT ON (part) ARRAY[{as_text}]
         FROM (SELECT {keys}, pg_catalog.ntile($1) OVER (ORDER BY {keys}) AS part
               FROM {source} TABLESAMPLE SYSTEM ($2)) sample
         WHERE part < $1 ORDER BY part, {}",
        definition
            .key()
            .iter()
            .map(|name| format!("{} DESC", crate::quote::identifier(name)))
            .collect::<Vec<_>>()
            .join(", ")
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

/// The ranges of a job that are not copied yet.
pub(crate) async fn unfinished(job: &Job, connection: &mut PgConnection) -> Result<Vec<Range>, sqlx::Error> {
    sqlx::query_as!(
        Range,
        r#"SELECT number, source, after AS "after?", until AS "until?"
           FROM db_service.relayout_range WHERE job_id = $1 AND NOT is_done ORDER BY number"#,
        job.id
    )
    .fetch_all(connection)
    .await
}

/// After one key, until another.
pub(crate) type Bounds = (Option<Vec<String>>, Option<Vec<String>>);

/// The bounds of a job's ranges as they were at its beginning; one that has none where it copies from several tables, since
/// their ranges overlap.
pub(crate) async fn bounds(job: &Job, connection: &mut PgConnection) -> Result<Vec<Bounds>, sqlx::Error> {
    if job.sources().len() > 1 {
        return Ok(vec![(None, None)]);
    }
    let ends = sqlx::query_scalar!(
        r#"SELECT until AS "until?" FROM db_service.relayout_range WHERE job_id = $1 ORDER BY number"#,
        job.id
    );
    let mut after = None;
    Ok(ends
        .fetch_all(connection)
        .await?
        .into_iter()
        .map(|until| (std::mem::replace(&mut after, until.clone()), until))
        .collect())
}

/// Rows that a job has copied so far.
pub(crate) async fn rows_copied(job: &Job, connection: &mut PgConnection) -> Result<i64, sqlx::Error> {
    let rows = sqlx::query_scalar!(
        r#"SELECT COALESCE(sum(rows_copied), 0)::bigint AS "rows!" FROM db_service.relayout_range WHERE job_id = $1"#,
        job.id
    );
    rows.fetch_one(connection).await
}

/// Copies one range from where it stands; `copied` gets the number of rows of each batch, and may end it by false.
pub(crate) async fn copy(
    job: &Job,
    mut range: Range,
    connection: &mut PgConnection,
    copied: impl Fn(i64) -> bool,
) -> Result<(), sqlx::Error> {
    let statements = Statements::new(&range.source, &qualified(NEW, &job.table), &job.definition);
    let size = Cell::new(FIRST_BATCH);
    loop {
        let started = Instant::now();
        let mut transaction = connection.begin_with("BEGIN ISOLATION LEVEL READ COMMITTED").await?;
        follow_the_key(&mut transaction).await?;
        let (end, rows) = statements.copy_batch(&mut transaction, &range, size.get()).await?;
        let noted = sqlx::query!(
            "UPDATE db_service.relayout_range r SET after = COALESCE($3, r.after), rows_copied = r.rows_copied + $4, is_done = $5
             FROM db_service.relayout_job j
             WHERE r.job_id = $1 AND r.number = $2 AND j.id = r.job_id AND j.phase = 'backfilling'",
            job.id,
            range.number,
            end.as_deref(),
            rows,
            end.is_none()
        )
        .execute(&mut *transaction)
        .await?;
        if noted.rows_affected() != 1 {
            return Err(sqlx::Error::RowNotFound);
        }
        transaction.commit().await?;
        if !copied(rows) || end.is_none() {
            return Ok(());
        }
        range.after = end;
        size.set(next_size(size.get(), started.elapsed()));
    }
}

/// The statements for one range, by `[usize::from(it has a start)][usize::from(it has an end)]`.
#[derive(Debug)]
struct Statements {
    end_of_batch: [[String; 2]; 2],
    batch: [[String; 2]; 2],
}

impl Statements {
    fn new(source: &str, target: &str, definition: &Definition) -> Self {
        let key = definition.key();
        let columns = list("", definition.stored_columns().map(|column| &column.name));
        let (keys, as_text) = (list("", key), definition.key_as_text());
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

/// A plan that reads more than the batch asks for would read the whole table for every batch.
pub(crate) async fn follow_the_key(transaction: &mut PgConnection) -> Result<(), sqlx::Error> {
    const SETTINGS: &str = "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off; \
                            SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL jit = off; \
                            SET LOCAL plan_cache_mode = force_custom_plan";
    sqlx::raw_sql(SETTINGS).execute(transaction).await.map(drop)
}

fn next_size(size: i64, took: Duration) -> i64 {
    let next = if took < BATCH_TIME / 2 {
        size * 2
    } else if took > BATCH_TIME * 2 {
        size / 2
    } else {
        size
    };
    next.clamp(FIRST_BATCH / 10, LARGEST_BATCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_grow_while_they_are_quick_and_shrink_when_they_are_slow() {
        assert_eq!(next_size(500, Duration::from_millis(10)), 1000);
        assert_eq!(next_size(500, Duration::from_millis(300)), 500);
        assert_eq!(next_size(500, Duration::from_secs(2)), 250);
        assert_eq!(next_size(LARGEST_BATCH, Duration::ZERO), LARGEST_BATCH);
    }
}
