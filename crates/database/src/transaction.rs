//! Transactions that end when they end: every way out that is not a commit rolls back *before* anything else is awaited.
//!
//! sqlx rolls a dropped transaction back at the next use of its connection. Until then the server keeps its locks, and
//! whoever waits for these waits for whatever is done in between.

use sqlx::{Connection as _, PgConnection};

use crate::retry::CutShort;

/// What is only read, each statement for itself; as long as it takes, whatever a role or a database has as its limit, and
/// without compiling what would have been read sooner.
pub const READ_ONLY: &str = "BEGIN READ ONLY; SET LOCAL statement_timeout = 0; SET LOCAL jit = off";
/// What is only read, all of it as it was at one moment.
pub const SNAPSHOT: &str =
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = 0; SET LOCAL jit = off";
/// What is changed, whatever a role or a database has as its default.
pub const CHANGE: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";

/// How a transaction is to end that did not fail.
#[derive(Debug)]
pub enum End<T> {
    /// What it did stays.
    Commit(T),
    /// As if it had not been.
    Rollback(T),
}

/// All that the connection reads from now on is of this moment, until it is closed.
///
/// # Errors
/// Those of the beginning.
pub async fn read_only_for_good(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let mut cut_short = CutShort::default();
    loop {
        let error = match connection.begin_with(SNAPSHOT).await {
            Ok(transaction) => {
                // Dropped it would be rolled back; it ends with the connection.
                std::mem::forget(transaction);
                return Ok(());
            }
            Err(error) => error,
        };
        begin_again(&mut cut_short, connection, error).await?;
    }
}

/// Readies the connection for another attempt, if the first was only cut short.
async fn begin_again(
    cut_short: &mut CutShort,
    connection: &mut PgConnection,
    error: sqlx::Error,
) -> Result<(), sqlx::Error> {
    if !cut_short.is_again(&error) {
        return Err(error);
    }
    // Cut short after its first word, it has begun; sqlx rolls back only what began whole.
    sqlx::raw_sql("ROLLBACK").execute(connection).await.map(drop)
}

/// Does some work in a transaction that begins with this statement.
///
/// # Errors
/// Those of the work, after the rollback; and those of the beginning and the end.
pub async fn run<T>(
    connection: &mut PgConnection,
    begin: &'static str,
    work: impl AsyncFnOnce(&mut PgConnection) -> Result<End<T>, sqlx::Error>,
) -> Result<T, sqlx::Error> {
    run_with(connection, begin, |error| error, work).await
}

/// The same where the work has errors of its own; `failed` names what the transaction is for.
///
/// What only reads is part of a transaction that is open, with all else that is read in it.
///
/// # Errors
/// The same.
pub async fn run_with<T, E>(
    connection: &mut PgConnection,
    begin: &'static str,
    failed: impl Fn(sqlx::Error) -> E,
    work: impl AsyncFnOnce(&mut PgConnection) -> Result<End<T>, E>,
) -> Result<T, E> {
    if begin != CHANGE && connection.is_in_transaction() {
        return work(connection).await.map(|(End::Commit(value) | End::Rollback(value))| value);
    }
    let mut cut_short = CutShort::default();
    let mut transaction = loop {
        let error = match connection.begin_with(begin).await {
            Ok(transaction) => break transaction,
            Err(error) => error,
        };
        begin_again(&mut cut_short, connection, error).await.map_err(&failed)?;
    };
    match work(&mut transaction).await {
        Ok(End::Commit(value)) => transaction.commit().await.map(|()| value).map_err(failed),
        Ok(End::Rollback(value)) => transaction.rollback().await.map(|()| value).map_err(failed),
        Err(error) => {
            // Where even that fails the connection is gone, and the transaction with it; the first error is the one to report.
            drop(transaction.rollback().await);
            Err(error)
        }
    }
}
