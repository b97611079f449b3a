//! What kind of server a database is on, as far as it decides whether we can work there.

use sqlx::{PgConnection, Row as _};

use crate::connection::first_answer;
use crate::error::Error;
use crate::url::DatabaseUrl;

/// The oldest PostgreSQL that the layers are tested on.
pub const OLDEST: i32 = 16;

/// What a server says of itself.
#[derive(Clone, Debug)]
pub struct Server {
    /// As `180006`.
    pub version_number: i32,
    /// As `18.6`.
    pub version: String,
    /// It only replays another's changes.
    pub is_standby: bool,
}

impl Server {
    /// Asks it, on a connection that was just opened.
    ///
    /// # Errors
    /// When the query fails.
    pub async fn read(connection: &mut PgConnection, url: &DatabaseUrl) -> Result<Self, Error> {
        let read = first_answer(url, async || Self::ask(connection).await).await?;
        read.map_err(Error::sql("ask the server for its version", url.database()))
    }

    async fn ask(connection: &mut PgConnection) -> Result<Self, sqlx::Error> {
        let query = "SELECT pg_catalog.current_setting('server_version_num')::integer, pg_catalog.current_setting('server_version'),
                            pg_catalog.pg_is_in_recovery()";
        let row = sqlx::query(query).fetch_one(connection).await?;
        Ok(Self { version_number: row.try_get(0)?, version: row.try_get(1)?, is_standby: row.try_get(2)? })
    }

    /// Whether it is one that the layers work on.
    ///
    /// # Errors
    /// [`Error::TooOld`].
    pub fn is_supported(&self) -> Result<(), Error> {
        supported(self.version_number, &self.version)
    }

    /// Whether it takes changes.
    ///
    /// # Errors
    /// [`Error::Standby`].
    pub fn takes_writes(&self, database: &str) -> Result<(), Error> {
        if self.is_standby { Err(Error::Standby { database: database.to_owned() }) } else { Ok(()) }
    }
}

/// Whether the layers work on a PostgreSQL of this version: `150018`, `15.18`.
///
/// # Errors
/// [`Error::TooOld`].
pub fn supported(version_number: i32, version: &str) -> Result<(), Error> {
    if version_number < OLDEST * 10_000 {
        Err(Error::TooOld { found: version.to_owned(), oldest: OLDEST })
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use terminal::Failure as _;

    use super::*;

    #[test]
    fn an_old_server_is_refused_by_its_version() {
        assert!(supported(160_000, "16.0").is_ok());
        let error = supported(150_018, "15.18").unwrap_err();
        assert_eq!(error.to_string(), "PostgreSQL 15.18 is too old: 16 is the oldest that works");
        assert!(error.hint().is_some());
    }
}
