//! The drain of the change log: the rows that writers have touched are copied again.
//!
//! It takes keys out of the log, then removes their rows from the copy, then reads them again from the original: three
//! statements of one READ COMMITTED transaction, each of which sees what was committed before it began. So an entry is
//! never taken without its effect, and taking one twice does no harm.
//!
//! It begins when the backfill has ended. A batch that reads a row, is overtaken by the drain of its deletion, and then
//! writes it, would leave a deleted row behind.

use std::time::{Duration, Instant};

use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Postgres, Row as _};

use super::backfill::follow_the_key;
use super::capture;
use super::ddl::{NEW, list, qualified};
use super::job::Job;

/// Most keys that one round takes.
const BATCH: i64 = 5_000;

/// The statements for one table, built once.
#[derive(Debug)]
pub(crate) struct Drain {
    key_length: usize,
    take: String,
    remove: String,
    read_again: String,
}

impl Drain {
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
            take: format!(
                "DELETE FROM {log} WHERE ctid = ANY (ARRAY(SELECT ctid FROM {log} LIMIT $1)) RETURNING {as_text}"
            ),
            remove: format!("DELETE FROM {target} WHERE {wanted}"),
            read_again: format!("INSERT INTO {target} ({columns}) SELECT {columns} FROM {source} WHERE {wanted}"),
        }
    }

    /// One round of the drain, in the caller's transaction; the number of entries taken.
    pub(crate) async fn round(&self, transaction: &mut PgConnection) -> Result<usize, sqlx::Error> {
        let rows = sqlx::query(AssertSqlSafe(self.take.clone())).bind(BATCH).fetch_all(&mut *transaction).await?;
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
            let taken = self.round(&mut transaction).await?;
            transaction.commit().await?;
            if taken <= 20 || started.elapsed() > patience {
                return Ok(());
            }
        }
    }
}
