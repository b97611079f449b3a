//! The transactions in which all of it is read.

use database::transaction::{self, End};
use sqlx::PgConnection;

/// How long it is waited for somebody who alters a table.
const PATIENCE: &str = "SET LOCAL lock_timeout = '1s'";

/// Does some work in a transaction that reads, and waits for nobody for long.
pub(super) async fn read_only<T>(
    connection: &mut PgConnection,
    work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error>,
) -> Result<T, sqlx::Error> {
    transaction::run(connection, transaction::READ_ONLY, async |connection| {
        sqlx::raw_sql(PATIENCE).execute(&mut *connection).await?;
        work(connection).await.map(End::Commit)
    })
    .await
}
