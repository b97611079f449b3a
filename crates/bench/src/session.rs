//! Sessions of the benchmarks, whose errors are sqlx's whatever has failed.

use database::{DatabaseUrl, connection};
use sqlx::{AssertSqlSafe, PgConnection};

pub(crate) async fn connect(url: &DatabaseUrl) -> Result<PgConnection, sqlx::Error> {
    connection::connect(url).await.map_err(|error| sqlx::Error::Configuration(error.into()))
}

/// One statement, or several as one transaction.
pub(crate) async fn execute(connection: &mut PgConnection, text: &str) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(text.to_owned())).execute(connection).await.map(drop)
}
