//! What the catalog says of objects by name.

use sqlx::PgConnection;

/// Which of these relations and functions are not there. A name with parentheses is a function's.
///
/// # Errors
/// When the query fails.
pub async fn missing(connection: &mut PgConnection, objects: &[String]) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_file_scalar!("queries/missing_objects.sql", objects).fetch_all(connection).await
}

/// Indexes that a killed build has left; those being built right now are not among them.
///
/// # Errors
/// When the query fails.
pub async fn invalid_indexes(connection: &mut PgConnection) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_file_scalar!("queries/invalid_indexes.sql").fetch_all(connection).await
}
