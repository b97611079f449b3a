//! What the server says of itself and of us.

use database::Relation;
use sqlx::PgConnection;

/// As far as it decides whether a table's storage can be changed.
#[derive(Debug)]
pub(crate) struct ServerFacts {
    pub(crate) owns: bool,
    pub(crate) role: String,
    /// Locks that all transactions together can hold.
    pub(crate) lock_slots: i64,
}

impl ServerFacts {
    pub(crate) async fn read(connection: &mut PgConnection, relation: &Relation) -> Result<Self, sqlx::Error> {
        let facts = sqlx::query_file_as!(Self, "queries/server_obstacles.sql", relation.to_string());
        facts.fetch_one(connection).await
    }
}
