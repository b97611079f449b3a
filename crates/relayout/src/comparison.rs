//! Comparing two forms of a table, row by row, while both are in use.
//!
//! Rows whose keys are in the change log are left out: they were written to after the swap, and differ rightly. A batch
//! reads both forms and the log in one snapshot; the log is not drained meanwhile.

use std::cell::Cell;

use database::quote::{columns, identifier};
use database::transaction::{self, End};
use database::{DatabaseLock, Relation, Worker};
use sqlx::{AssertSqlSafe, PgConnection};

use crate::change_log;
use crate::error::Error;
use crate::job::Job;
use crate::job::range::{self, Bounds};
use crate::key_order;
use crate::workers;

/// Rows a batch: what is held in memory for comparing.
const BATCH: i64 = 5_000;

/// The number of rows that differ between the two forms, ranges side by side. `compared` gets the number of rows of each batch.
pub(crate) async fn differences(
    lock: &DatabaseLock,
    own: &mut Worker,
    jobs: usize,
    job: &Job,
    compared: impl Fn(i64),
) -> Result<i64, Error> {
    let failed = Error::during(&format!("compare the rows of table `{}`", job.table), lock.url().database());
    let queries = Queries::new(job);
    let ranges = range::bounds(job, own).await.map_err(&failed)?;
    let different = Cell::new(0);
    let compare = async |worker: &mut Worker, bounds: Bounds| {
        different.set(different.get() + queries.compare_range(worker, bounds, &compared).await?);
        Ok(())
    };
    workers::work_off(lock, own, jobs, ranges, failed, compare).await?;
    Ok(different.get())
}

/// The same on one connection that only reads.
pub(crate) async fn differences_read(connection: &mut PgConnection, job: &Job) -> Result<i64, sqlx::Error> {
    let queries = Queries::new(job);
    let mut different = 0;
    for bounds in range::bounds(job, connection).await? {
        different += queries.compare_range(connection, bounds, |_| ()).await?;
    }
    Ok(different)
}

struct Queries {
    end_of_batch: String,
    differences: String,
}

impl Queries {
    fn new(job: &Job) -> Self {
        let (definition, (first, second)) = (&job.definition, job.compared());
        let key = definition.key();
        let keys = definition.key_columns("");
        let as_text = definition.key_as_text();
        let after = format!("($1::text[] IS NULL OR ({keys}) > ({}))", definition.bound_key(1));
        let range = format!("{after} AND ($2::text[] IS NULL OR ({keys}) <= ({}))", definition.bound_key(2));
        let columns = columns("", definition.columns.iter().map(|column| &column.name));
        let side = |relations: &[Relation]| {
            format!("(SELECT {columns} FROM {} t WHERE {range} ORDER BY {keys})", union(relations, &columns))
        };
        let same_key = |left: &str, right: &str| {
            let equal = |name: &String| format!("{left}.{0} = {right}.{0}", identifier(name));
            key.iter().map(equal).collect::<Vec<_>>().join(" AND ")
        };
        let logged = |side: &str| {
            format!("EXISTS (SELECT FROM {} l WHERE {})", change_log::log(&job.table), same_key("l", side))
        };
        let missing = |side: &str| format!("{side}.{} IS NULL", identifier(&key[0]));
        Self {
            end_of_batch: format!(
                "SELECT ARRAY[{as_text}] FROM {} t WHERE {range} ORDER BY {keys} OFFSET $3::bigint - 1 LIMIT 1",
                union(&second, &keys)
            ),
            // `*<>` compares bytes: a difference that the type's own `=` does not see is one all the same.
            differences: format!(
                "SELECT count(*), count(*) FILTER (WHERE ({} OR {} OR a *<> b) AND NOT {} AND NOT {})
                 FROM {} a FULL JOIN {} b ON {}",
                missing("a"),
                missing("b"),
                logged("a"),
                logged("b"),
                side(&first),
                side(&second),
                same_key("a", "b"),
            ),
        }
    }

    /// Compares the rows of a range; how many differ.
    async fn compare_range(
        &self,
        connection: &mut PgConnection,
        (mut after, until): Bounds,
        compared: impl Fn(i64),
    ) -> Result<i64, sqlx::Error> {
        let mut different = 0;
        loop {
            let (end, rows, count) = transaction::run(connection, transaction::SNAPSHOT, async |connection| {
                self.compare_batch(connection, after.as_ref(), until.as_ref()).await.map(End::Commit)
            })
            .await?;
            different += count;
            compared(rows);
            match end {
                Some(end) => after = Some(end),
                None => return Ok(different),
            }
        }
    }

    /// Compares the next rows; the last one's key, unless the range ends before, how many there are, and how many differ.
    async fn compare_batch(
        &self,
        transaction: &mut PgConnection,
        after: Option<&Vec<String>>,
        until: Option<&Vec<String>>,
    ) -> Result<(Option<Vec<String>>, i64, i64), sqlx::Error> {
        key_order::follow(transaction).await?;
        let end: Option<Vec<String>> = sqlx::query_scalar(AssertSqlSafe(self.end_of_batch.clone()))
            .bind(after)
            .bind(until)
            .bind(BATCH)
            .fetch_optional(&mut *transaction)
            .await?;
        key_order::allow_whole_joins(transaction).await?;
        let (rows, different): (i64, i64) = sqlx::query_as(AssertSqlSafe(self.differences.clone()))
            .bind(after)
            .bind(end.as_ref().or(until))
            .fetch_one(transaction)
            .await?;
        Ok((end, rows, different))
    }
}

/// Several tables as one.
fn union(relations: &[Relation], columns: &str) -> String {
    if let [single] = relations {
        return single.to_string();
    }
    let selects: Vec<String> = relations.iter().map(|relation| format!("SELECT {columns} FROM {relation}")).collect();
    format!("({})", selects.join(" UNION ALL "))
}
