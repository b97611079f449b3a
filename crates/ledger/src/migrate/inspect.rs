//! What a database says about our migrations.

use database::Error;
use sqlx::PgConnection;

use crate::catalog::{InvalidIndex, invalid_indexes, missing};
use crate::migration::{LEDGER, Migrations};

/// The ledger, and whether the catalog bears it out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LedgerState {
    pub(super) applied: Vec<Applied>,
    pub(super) missing: Vec<String>,
    pub(super) invalid_indexes: Vec<InvalidIndex>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Applied {
    pub(super) version: i64,
    pub(super) success: bool,
    pub(super) checksum: Vec<u8>,
}

impl LedgerState {
    /// What an empty database says: every table that a header requires is still to come.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// Whether any migration was applied, and this object, which one of them provides, is there.
    #[must_use]
    pub fn provides(&self, object: &str) -> bool {
        !self.applied.is_empty() && !self.missing.iter().any(|missing| missing == object)
    }

    /// Whether any migration was applied.
    #[must_use]
    pub fn is_there(&self) -> bool {
        !self.applied.is_empty()
    }

    pub(super) fn is_applied(&self, version: i64) -> bool {
        self.applied.iter().any(|applied| applied.version == version)
    }
}

/// Reads them. Writes nothing.
///
/// The caller holds one snapshot, taken before the catalog is asked for objects (which always answers with the newest
/// state): if the ledger in it says applied, the objects are there by the time we look, even while another run applies them.
///
/// # Errors
/// When a query fails.
pub async fn inspect(
    connection: &mut PgConnection,
    database: &str,
    migrations: &Migrations,
) -> Result<LedgerState, Error> {
    let failed = || Error::sql("read the ledger of the performance layer", database);
    let tables = migrations.headers().iter().flat_map(|header| header.requires_table.iter());
    let objects = migrations.headers().iter().flat_map(|header| header.provides.iter());
    let mut wanted: Vec<String> = tables.chain(objects).cloned().collect();
    wanted.push(LEDGER.to_owned());
    let invalid_indexes = invalid_indexes(connection).await.map_err(failed())?;
    let missing = missing(connection, &wanted).await.map_err(failed())?;
    let mut applied = Vec::new();
    if !missing.iter().any(|missing| missing == LEDGER) {
        applied =
            sqlx::query_file_as!(Applied, "queries/sqlx_ledger.sql").fetch_all(connection).await.map_err(failed())?;
    }
    Ok(LedgerState { applied, missing, invalid_indexes })
}
