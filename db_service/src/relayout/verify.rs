//! Comparing two forms of a table, row by row, while both are in use.
//!
//! Rows whose keys are in the change log are left out: they were written to after the swap, and differ rightly. A batch
//! reads both forms and the log in one snapshot; the log is not drained meanwhile.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use super::backfill::follow_the_key;
use super::capture;
use super::ddl::list;
use super::job::Job;
use crate::quote::identifier;

/// Rows a batch: what is held in memory for comparing.
const BATCH: i64 = 5_000;

/// The number of rows that differ between the two forms. `progress` gets the number compared so far.
pub(crate) async fn differences(
    connection: &mut PgConnection,
    job: &Job,
    mut progress: impl FnMut(i64),
) -> Result<i64, sqlx::Error> {
    let queries = Queries::new(job);
    let (mut from, mut compared, mut different) = (None::<Vec<String>>, 0, 0);
    loop {
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        let mut transaction = connection.begin_with(begin).await?;
        follow_the_key(&mut transaction).await?;
        let end: Option<Vec<String>> = sqlx::query_scalar(AssertSqlSafe(queries.end_of_batch.clone()))
            .bind(&from)
            .bind(BATCH)
            .fetch_optional(&mut *transaction)
            .await?;
        // Both sides are sorted by their keys anyway.
        sqlx::raw_sql("SET LOCAL enable_mergejoin = on").execute(&mut *transaction).await?;
        let count: i64 = sqlx::query_scalar(AssertSqlSafe(queries.differences.clone()))
            .bind(&from)
            .bind(&end)
            .fetch_one(&mut *transaction)
            .await?;
        transaction.commit().await?;
        different += count;
        compared += BATCH;
        let Some(end) = end else { return Ok(different) };
        from = Some(end);
        progress(compared);
    }
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
                "SELECT ARRAY[{as_text}] FROM {} t WHERE {after} ORDER BY {keys} OFFSET $2::bigint - 1 LIMIT 1",
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
}

/// Several tables as one.
fn union(relations: &[String], columns: &str) -> String {
    if let [single] = relations {
        return single.clone();
    }
    let selects: Vec<String> = relations.iter().map(|relation| format!("SELECT {columns} FROM {relation}")).collect();
    format!("({})", selects.join(" UNION ALL "))
}
