//! Comparing two forms of a table, row by row, while both are in use.
//!
//! Rows whose keys are in the change log are left out: they were written to after the swap, and differ rightly. A batch
//! reads both forms and the log in one snapshot; the log is not drained meanwhile.

use std::cell::Cell;

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use super::backfill::{self, follow_the_key};
use super::capture;
use super::ddl::list;
use super::job::Job;
use super::workers;
use crate::quote::identifier;
use crate::{DatabaseUrl, Error};

/// Rows a batch: what is held in memory for comparing.
const BATCH: i64 = 5_000;

/// The number of rows that differ between the two forms, ranges side by side. `progress` gets the number compared so far.
pub(crate) async fn differences(
    url: &DatabaseUrl,
    own: &mut PgConnection,
    jobs: usize,
    job: &Job,
    progress: impl Fn(i64),
) -> Result<i64, Error> {
    let database = url.database().unwrap_or_default();
    let failed = |error| Error::sql(&format!("compare the rows of table `{}`", job.table), database)(error);
    let queries = Queries::new(job);
    let ranges = backfill::bounds(job, own).await.map_err(failed)?;
    let (compared, different) = (Cell::new(0), Cell::new(0));
    let compare = async |connection: &mut PgConnection, (mut after, until): backfill::Bounds| {
        loop {
            let (end, count) = queries.compare_batch(connection, after.as_ref(), until.as_ref()).await?;
            different.set(different.get() + count);
            compared.set(compared.get() + BATCH);
            progress(compared.get());
            match end {
                Some(end) => after = Some(end),
                None => return Ok(()),
            }
        }
    };
    workers::work_off(url, own, jobs, ranges, failed, compare).await?;
    Ok(different.get())
}

struct Queries {
    end_of_batch: String,
    differences: String,
}

impl Queries {
    fn new(job: &Job) -> Self {
        let (definition, (first, second)) = (&job.definition, job.compared());
        let key = definition.key();
        let keys = list("", key);
        let as_text = definition.key_as_text();
        let after = format!("($1::text[] IS NULL OR ({keys}) > ({}))", definition.bound_key(1));
        let range = format!("{after} AND ($2::text[] IS NULL OR ({keys}) <= ({}))", definition.bound_key(2));
        let columns = list("", definition.columns.iter().map(|column| &column.name));
        let side = |relations: &[String]| {
            format!("(SELECT {columns} FROM {} t WHERE {range} ORDER BY {keys})", union(relations, &columns))
        };
        let same_key = |left: &str, right: &str| {
            let equal = |name: &String| format!("{left}.{0} = {right}.{0}", identifier(name));
            key.iter().map(equal).collect::<Vec<_>>().join(" AND ")
        };
        let logged =
            |side: &str| format!("EXISTS (SELECT FROM {} l WHERE {})", capture::log(&job.table), same_key("l", side));
        let missing = |side: &str| format!("{side}.{} IS NULL", identifier(&key[0]));
        Self {
            end_of_batch: format!(
                "SELECT ARRAY[{as_text}] FROM {} t WHERE {range} ORDER BY {keys} OFFSET $3::bigint - 1 LIMIT 1",
                union(&second, &keys)
            ),
            // `*<>` compares bytes: a difference that the type's own `=` does not see is one all the same.
            differences: format!(
                "SELECT count(*) FROM {} a FULL JOIN {} b ON {}
                 WHERE ({} OR {} OR a *<> b) AND NOT {} AND NOT {}",
                side(&first),
                side(&second),
                same_key("a", "b"),
                missing("a"),
                missing("b"),
                logged("a"),
                logged("b"),
            ),
        }
    }

    /// Compares the next rows; the last one's key, unless the range ends before, and how many differ.
    async fn compare_batch(
        &self,
        connection: &mut PgConnection,
        after: Option<&Vec<String>>,
        until: Option<&Vec<String>>,
    ) -> Result<(Option<Vec<String>>, i64), sqlx::Error> {
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        let mut transaction = connection.begin_with(begin).await?;
        follow_the_key(&mut transaction).await?;
        let end: Option<Vec<String>> = sqlx::query_scalar(AssertSqlSafe(self.end_of_batch.clone()))
            .bind(after)
            .bind(until)
            .bind(BATCH)
            .fetch_optional(&mut *transaction)
            .await?;
        // Each side is read once, and so is the log, which grows while we compare: row by row that would be its length times ours.
        sqlx::raw_sql("SET LOCAL enable_mergejoin = on; SET LOCAL enable_hashjoin = on")
            .execute(&mut *transaction)
            .await?;
        let count: i64 = sqlx::query_scalar(AssertSqlSafe(self.differences.clone()))
            .bind(after)
            .bind(end.as_ref().or(until))
            .fetch_one(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok((end, count))
    }
}

/// Several tables as one.
fn union(relations: &[String], columns: &str) -> String {
    if let [single] = relations {
        return single.clone();
    }
    let selects: Vec<String> = relations.iter().map(|relation| format!("SELECT {columns} FROM {relation}")).collect();
    format!("({})", selects.join(" UNION ALL "))
}
