//! Copying rows: the backfill, in the order of the primary key, and the drain of the change log.
//!
//! The drain takes keys out of the log, then removes their rows from the copy, then reads them again from the original:
//! three statements of one READ COMMITTED transaction, each of which sees what was committed before it began. So an entry
//! is never taken without its effect, and taking one twice does no harm.
//!
//! The drain begins when the backfill has ended. A batch that reads a row, is overtaken by the drain of its deletion, and
//! then writes it, would leave a deleted row behind. It also means that no key is copied twice, since batches are disjoint
//! ranges of the primary key: so the copy needs no unique index meanwhile, and all indexes are built afterwards.

use std::time::{Duration, Instant};

use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Postgres, Row as _};

use super::ddl::{self, NEW, list, qualified};
use super::definition::Definition;
use super::job::Job;
use crate::quote::identifier;

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
    end_of_batch: [String; 2],
    batch: [[String; 2]; 2],
    take: String,
    remove: String,
    read_again: String,
}

impl Copy {
    /// From the table in `public` to its shadow.
    pub(crate) fn new(table: &str, definition: &Definition) -> Self {
        let (source, target, log) = (qualified("public", table), qualified(NEW, table), ddl::log(table));
        let key = definition.key();
        let columns = list("", definition.stored_columns().map(|column| &column.name));
        let types: Vec<&str> =
            key.iter().filter_map(|name| definition.column(name)).map(|column| column.data_type.as_str()).collect();
        let keys = list("", key);
        let as_text = key.iter().map(|name| format!("{}::text", identifier(name))).collect::<Vec<_>>().join(", ");
        // The parameter holds one key as an array of texts.
        let bound = |parameter: usize| {
            let parts =
                types.iter().enumerate().map(|(index, kind)| format!("(${parameter}::text[])[{}]::{kind}", index + 1));
            parts.collect::<Vec<_>>().join(", ")
        };
        let after = format!("WHERE ({keys}) > ({})", bound(1));
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
                    .map(|(_, parameter, operator)| format!("({keys}) {operator} ({})", bound(parameter)))
                    .collect::<Vec<_>>()
                    .join(" AND ");
                let filter = if conditions.is_empty() { String::new() } else { format!("WHERE {conditions}") };
                // Both parameters have a type, also where the condition does not name them.
                format!(
                    "WITH parameters AS (SELECT $1::text[], $2::text[]) INSERT INTO {target} ({columns}) SELECT {columns} FROM {source} {filter} ORDER BY {keys}"
                )
            })
        });
        // Each parameter holds one column of all keys.
        let arrays = types.iter().enumerate().map(|(index, kind)| format!("${}::text[]::{kind}[]", index + 1));
        let wanted = format!(
            "({keys}) IN (SELECT * FROM ROWS FROM ({}) AS k)",
            arrays.map(|array| format!("pg_catalog.unnest({array})")).collect::<Vec<_>>().join(", ")
        );
        Self {
            key_length: key.len(),
            end_of_batch,
            batch,
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
        loop {
            let started = Instant::now();
            let mut transaction = connection.begin_with("BEGIN ISOLATION LEVEL READ COMMITTED").await?;
            follow_the_key(&mut transaction).await?;
            let from = job.checkpoint.clone();
            let end: Option<Vec<String>> =
                sqlx::query_scalar(AssertSqlSafe(self.end_of_batch[usize::from(from.is_some())].clone()))
                    .bind(&from)
                    .bind(size)
                    .fetch_optional(&mut *transaction)
                    .await?;
            let batch = self.batch[usize::from(from.is_some())][usize::from(end.is_some())].clone();
            let copied = sqlx::query(AssertSqlSafe(batch))
                .bind(from)
                .bind(&end)
                .execute(&mut *transaction)
                .await?
                .rows_affected();
            job.rows_copied += i64::try_from(copied).unwrap_or(i64::MAX);
            let Some(end) = end else {
                transaction.commit().await?;
                return Ok(());
            };
            job.note_checkpoint(&mut transaction, &end, job.rows_copied).await?;
            transaction.commit().await?;
            job.checkpoint = Some(end);
            progress(job.rows_copied);
            size = next_size(size, started.elapsed());
        }
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
