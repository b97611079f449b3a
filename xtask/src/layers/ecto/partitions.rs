//! Whether Ecto's tables are partitioned, where some of what it may do otherwise fails.

use crate::layers::error::LayerError;
use crate::layers::session::Session;

/// Whether one is.
pub(super) async fn are_there(session: &mut Session<'_>) -> Result<bool, LayerError> {
    let target = session.target;
    let Some(connection) = session.connection().await? else { return Ok(false) };
    let asked = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_partitioned_table p JOIN pg_catalog.pg_class c ON c.oid = p.partrelid \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public')",
    );
    let answer = asked.fetch_one(connection).await;
    Ok(answer.map_err(database::Error::sql("look for partitioned tables", target.name()))?)
}
