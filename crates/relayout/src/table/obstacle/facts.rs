//! What the server says of itself and of us.

use database::Relation;
use sqlx::PgConnection;

/// As far as it decides whether a table's storage can be changed.
#[derive(Debug, Default)]
pub(crate) struct ServerFacts {
    /// As `server_version_num`.
    pub(crate) version: i32,
    pub(crate) owns: bool,
    pub(crate) role: String,
    /// Of the table.
    pub(crate) owner: String,
    /// Policies do not bind the role.
    pub(crate) sees_all_rows: bool,
    /// Locks that all transactions together can hold.
    pub(crate) lock_slots: i64,
    /// Those of others that fire for what we do, with what they fire for.
    pub(crate) event_triggers: Vec<String>,
    /// Publications of the table that are not the role's.
    pub(crate) foreign_publications: Vec<String>,
    /// Roles, quoted, that have granted rights to the table, and that the role may not act as.
    pub(crate) foreign_grantors: Vec<String>,
    /// Roles, quoted, that own extended statistics of the table, and that the role may not act as.
    pub(crate) foreign_statisticians: Vec<String>,
    /// Tables, quoted, that foreign keys refer to, and that the role may not make refer to.
    pub(crate) closed_references: Vec<String>,
}

impl ServerFacts {
    pub(crate) async fn read(connection: &mut PgConnection, relation: &Relation) -> Result<Self, sqlx::Error> {
        let facts = sqlx::query_file_as!(Self, "queries/server_obstacles.sql", relation.to_string());
        facts.fetch_one(connection).await
    }
}
