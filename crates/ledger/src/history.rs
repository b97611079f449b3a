//! When each migration was applied, as both ledgers have noted it.

use std::collections::BTreeMap;

use database::Error;
use sqlx::PgConnection;

use crate::ecto::EctoState;
use crate::migrate::LedgerState;

/// By version, each as `2026-11-28T20:20:50Z`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Ecto's.
    pub ecto: BTreeMap<i64, String>,
    /// Ours.
    pub layer: BTreeMap<i64, String>,
}

/// Reads it of the ledgers that there are. Writes nothing.
///
/// # Errors
/// When a query fails.
pub async fn read(
    connection: &mut PgConnection,
    ecto: &EctoState,
    ledger: &LedgerState,
    database: &str,
) -> Result<History, Error> {
    let mut history = History::default();
    if !ecto.applied().is_empty() {
        let failed = Error::sql("read Ecto's ledger", database);
        let rows = sqlx::query_file!("queries/ecto_history.sql").fetch_all(&mut *connection).await.map_err(failed)?;
        history.ecto = rows.into_iter().filter_map(|row| Some((row.version, row.applied_at?))).collect();
    }
    if ledger.is_there() {
        let failed = Error::sql("read the ledger of the performance layer", database);
        let rows = sqlx::query_file!("queries/sqlx_history.sql").fetch_all(connection).await.map_err(failed)?;
        history.layer = rows.into_iter().map(|row| (row.version, row.applied_at)).collect();
    }
    Ok(history)
}
