//! What the catalog says of objects by name.

use sqlx::PgConnection;

/// Which of these relations and functions are not there. A name with parentheses is a function's.
///
/// # Errors
/// When the query fails.
pub async fn missing(connection: &mut PgConnection, objects: &[String]) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_file_scalar!("queries/missing_objects.sql", objects).fetch_all(connection).await
}

/// An index that no query uses and every write pays for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidIndex {
    /// With its schema, quoted.
    pub name: String,
    /// It is one of a partitioned table, and not all leaves have their part of it.
    pub is_partitioned: bool,
}

/// Indexes that a killed build has left, or that lack a part; those being built right now are not among them.
///
/// # Errors
/// When the query fails.
pub async fn invalid_indexes(connection: &mut PgConnection) -> Result<Vec<InvalidIndex>, sqlx::Error> {
    sqlx::query_file_as!(InvalidIndex, "queries/invalid_indexes.sql").fetch_all(connection).await
}
