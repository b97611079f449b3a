//! Copying rows: the backfill, table by table in the order of the primary key, and the drain of the change log.
//!
//! The drain takes keys out of the log, then removes their rows from the copy, then reads them again from the original:
//! three statements of one READ COMMITTED transaction, each of which sees what was committed before it began. So an entry
//! is never taken without its effect, and taking one twice does no harm.
//!
//! The drain begins when the backfill has ended. A batch that reads a row, is overtaken by the drain of its deletion, and
//! then writes it, would leave a deleted row behind. It also means that no key is copied twice, since batches are disjoint
//! ranges of the primary key of disjoint tables: so the copy needs no unique index meanwhile, and all indexes are built afterwards.

use std::time::{Duration, Instant};

use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Postgres, Row as _};

use super::capture;
use super::ddl::{NEW, list, qualified};
use super::definition::Definition;
use super::job::Job;

/// How long one batch should take: what is lost by a kill, and how old the snapshot gets that vacuum has to respect.
const BATCH_TIME: Duration = Duration::from_millis(300);
const FIRST_BATCH: i64 = 500;
const LARGEST_BATCH: i64 = 50_000;

/// Most keys that one round of the drain takes.
const DRAIN_BATCH: i64 = 5_000;

/// The statements for one table, built once.
#[derive(Debug)]
pub(crate) struct Copy {
    key_length: usize,
    sources: Vec<Source>,
    take: String,
    remove: String,
    read_again: String,
}

/// Those that differ from one table that is copied from to the next. `[usize::from(has_start)]`, and so on.
#[derive(Debug)]
struct Source {
    end_of_batch: [String; 2],
    batch: [[String; 2]; 2],
}

impl Source {
    fn new(source: &str, target: &str, definition: &Definition) -> Self {
        let key = definition.key();
        let columns = list("", definition.stored_columns().map(|column| &column.name));
        let (keys, as_text) = (list("", key), definition.key_as_text());
        let after = format!("WHERE ({keys}) > ({})", definition.bound_key(1));
        let end_of_batch = ["", after.as_str()].map(|after| {
            format!(
                "WITH parameters AS (SELECT $1::text[]) \
                 SELECT ARRAY[{as_text}] FROM {source} {after} ORDER BY {keys} OFFSET $2::bigint - 1 LIMIT 1"
            )
        });
        let batch = [false, true].map(|from| {
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
                // Both parameters have a type, also where the condition does not name them.
                format!(
                    "WITH parameters AS (SELECT $1::text[], $2::text[]) \
                     INSERT INTO {target} ({columns}) SELECT {columns} FROM {source} {filter} ORDER BY {keys}"
                )
            })
        });
        Self { end_of_batch, batch }
    }

    /// Copies the rows after `from`; the last one's key, unless none was left after it, and how many.
    async fn copy_batch(
        &self,
        transaction: &mut PgConnection,
        from: Option<Vec<String>>,
        size: i64,
    ) -> Result<(Option<Vec<String>>, i64), sqlx::Error> {
        let has_start = usize::from(from.is_some());
        let end: Option<Vec<String>> = sqlx::query_scalar(AssertSqlSafe(self.end_of_batch[has_start].clone()))
            .bind(&from)
            .bind(size)
            .fetch_optional(&mut *transaction)
            .await?;
        let batch = self.batch[has_start][usize::from(end.is_some())].clone();
        let copied = sqlx::query(AssertSqlSafe(batch)).bind(from).bind(&end).execute(transaction).await?;
        Ok((end, i64::try_from(copied.rows_affected()).unwrap_or(i64::MAX)))
    }
}

impl Copy {
    /// From the old form to the shadow.
    pub(crate) fn new(job: &Job) -> Self {
        let (table, definition) = (&job.table, &job.definition);
        let (source, target, log) = (qualified("public", table), qualified(NEW, table), capture::log(table));
        let key = definition.key();
        let columns = list("", definition.stored_columns().map(|column| &column.name));
        let (keys, as_text) = (list("", key), definition.key_as_text());
        let types = key.iter().filter_map(|name| definition.column(name)).map(|column| &column.data_type);
        // Each parameter holds one column of all keys.
        let arrays = types.enumerate().map(|(index, kind)| format!("${}::text[]::{kind}[]", index + 1));
        let wanted = format!(
            "({keys}) IN (SELECT * FROM ROWS FROM ({}) AS k)",
            arrays.map(|array| format!("pg_catalog.unnest({array})")).collect::<Vec<_>>().join(", ")
        );
        Self {
            key_length: key.len(),
            sources: job.sources().iter().map(|source| Source::new(source, &target, definition)).collect(),
            take: format!(
                "DELETE FROM {log} WHERE ctid = ANY (ARRAY(SELECT ctid FROM {log} LIMIT $1)) RETURNING {as_text}"
            ),
            remove: format!("DELETE FROM {target} WHERE {wanted}"),
            read_again: format!("INSERT INTO {target} ({columns}) SELECT {columns} FROM {source} WHERE {wanted}"),
        }
    }

    /// Copies all rows, batch by batch, from the job's checkpoint on. `progress` gets the number of rows copied so far.
    pub(crate) async fn backfill(
        &self,
        connection: &mut PgConnection,
        job: &mut Job,
        mut progress: impl FnMut(i64),
    ) -> Result<(), sqlx::Error> {
        let mut size = FIRST_BATCH;
        let (mut number, mut from) = position(job.checkpoint.as_deref());
        while let Some(source) = self.sources.get(number) {
            let started = Instant::now();
            let mut transaction = connection.begin_with("BEGIN ISOLATION LEVEL READ COMMITTED").await?;
            follow_the_key(&mut transaction).await?;
            let (end, copied) = source.copy_batch(&mut transaction, from, size).await?;
            if end.is_none() {
                number += 1;
            }
            let next = std::iter::once(number.to_string()).chain(end.iter().flatten().cloned()).collect();
            job.note_checkpoint(&mut transaction, next, copied).await?;
            transaction.commit().await?;
            job.rows_copied += copied;
            from = end;
            progress(job.rows_copied);
            size = next_size(size, started.elapsed());
        }
        Ok(())
    }

    /// One round of the drain, in the caller's transaction; the number of entries taken.
    pub(crate) async fn drain(&self, transaction: &mut PgConnection) -> Result<usize, sqlx::Error> {
        let rows = sqlx::query(AssertSqlSafe(self.take.clone())).bind(DRAIN_BATCH).fetch_all(&mut *transaction).await?;
        if rows.is_empty() {
            return Ok(0);
        }
        let columns: Vec<Vec<String>> =
            (0..self.key_length).map(|index| rows.iter().map(|row| row.get(index)).collect()).collect();
        for statement in [&self.remove, &self.read_again] {
            let mut query: Query<'_, Postgres, PgArguments> = sqlx::query(AssertSqlSafe(statement.clone()));
            for column in &columns {
                query = query.bind(column);
            }
            query.execute(&mut *transaction).await?;
        }
        Ok(rows.len())
    }

    /// Drains, a transaction a round, until a round finds few entries; gives up after `patience`.
    pub(crate) async fn catch_up(&self, connection: &mut PgConnection, patience: Duration) -> Result<(), sqlx::Error> {
        let started = Instant::now();
        loop {
            let mut transaction = connection.begin_with("BEGIN ISOLATION LEVEL READ COMMITTED").await?;
            follow_the_key(&mut transaction).await?;
            let taken = self.drain(&mut transaction).await?;
            transaction.commit().await?;
            if taken <= 20 || started.elapsed() > patience {
                return Ok(());
            }
        }
    }
}

/// A plan that reads more than the batch asks for would read the whole table for every batch.
pub(crate) async fn follow_the_key(transaction: &mut PgConnection) -> Result<(), sqlx::Error> {
    const SETTINGS: &str = "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off; \
                            SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL jit = off; \
                            SET LOCAL plan_cache_mode = force_custom_plan";
    sqlx::raw_sql(SETTINGS).execute(transaction).await.map(drop)
}

/// A checkpoint's two parts.
fn position(checkpoint: Option<&[String]>) -> (usize, Option<Vec<String>>) {
    match checkpoint {
        None | Some([]) => (0, None),
        Some([number, key @ ..]) => (number.parse().unwrap_or_default(), (!key.is_empty()).then(|| key.to_vec())),
    }
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
    fn a_checkpoint_names_the_table_and_the_last_key() {
        let texts = |parts: &[&str]| parts.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>();
        assert_eq!(position(None), (0, None));
        assert_eq!(position(Some(&texts(&["3"]))), (3, None));
        assert_eq!(position(Some(&texts(&["3", "a", "b"]))), (3, Some(texts(&["a", "b"]))));
    }

    #[test]
    fn batches_grow_while_they_are_quick_and_shrink_when_they_are_slow() {
        assert_eq!(next_size(500, Duration::from_millis(10)), 1000);
        assert_eq!(next_size(500, Duration::from_millis(300)), 500);
        assert_eq!(next_size(500, Duration::from_secs(2)), 250);
        assert_eq!(next_size(LARGEST_BATCH, Duration::ZERO), LARGEST_BATCH);
    }
}
