//! Whether a pooler in transaction mode stands between us and the server.

use sqlx::PgConnection;

/// Locks and settings of a session would be lost between two statements, or be somebody else's.
///
/// Two sessions that are both open, and yet served by one backend, tell; so does one that is served by two.
pub(crate) async fn is_pooled(first: &mut PgConnection, second: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let before = backend(first).await?;
    let other = backend(second).await?;
    Ok(before == other || before != backend(first).await?)
}

/// By the simple protocol: a prepared statement may be gone, or another client's.
async fn backend(connection: &mut PgConnection) -> Result<i32, sqlx::Error> {
    use sqlx::Row as _;
    sqlx::raw_sql("SELECT pg_catalog.pg_backend_pid()").fetch_one(connection).await?.try_get(0)
}
