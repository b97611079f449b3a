//! The vector index that Ecto's table has.

use database::quote;
use sqlx::PgConnection;

use crate::session;

/// Its name and definition.
const FIND: &str = "SELECT x.relname::text, pg_get_indexdef(x.oid)
    FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am m ON m.oid = x.relam AND m.amname = 'hnsw'
    WHERE i.indrelid = 'public.embeddings'::regclass";

/// Drops it, and gives its name and definition: to keep it up while rows are loaded would take most of the time.
pub(crate) async fn take_off(connection: &mut PgConnection) -> Result<(String, String), sqlx::Error> {
    let (name, definition): (String, String) = sqlx::query_as(FIND).fetch_one(&mut *connection).await?;
    session::execute(connection, &format!("DROP INDEX public.{}", quote::identifier(&name))).await?;
    Ok((name, definition))
}
