//! One moment of a database, read by several connections.

use sqlx::{AssertSqlSafe, PgConnection};

use crate::connection::{close, connect, first_answer};
use crate::error::Error;
use crate::quote::literal;
use crate::session;
use crate::transaction::SNAPSHOT;
use crate::url::DatabaseUrl;

/// Names are looked up where they are written.
const READER: &[(&str, &str)] = &[("search_path", "pg_catalog")];

/// As many connections as are asked for, or as there is room for, each in a transaction that reads, all of them what was
/// there at the same moment. A statement of theirs ends when its connection is dropped.
///
/// # Errors
/// When there is not even one connection, or the server refuses to begin.
pub async fn connections(url: &DatabaseUrl, most: usize) -> Result<Vec<PgConnection>, Error> {
    let failed = || Error::sql("read one moment of it over several connections", url.database());
    let mut first = begin(url).await?;
    let mut others = Vec::new();
    if most > 1 {
        let name: String = sqlx::query_scalar("SELECT pg_catalog.pg_export_snapshot()")
            .fetch_one(&mut first)
            .await
            .map_err(failed())?;
        for _ in 1..most {
            let mut other = match begin(url).await {
                Ok(other) => other,
                // With fewer it takes longer.
                Err(Error::Connect(error)) if error.has_no_room() => break,
                Err(error) => return Err(error),
            };
            let import = format!("SET TRANSACTION SNAPSHOT {}", literal(&name));
            sqlx::raw_sql(AssertSqlSafe(import)).execute(&mut other).await.map_err(failed())?;
            others.push(other);
        }
    }
    Ok(std::iter::once(first).chain(others).collect())
}

/// Closes them in good order.
pub async fn end(connections: Vec<PgConnection>) {
    for connection in connections {
        close(connection).await;
    }
}

async fn begin(url: &DatabaseUrl) -> Result<PgConnection, Error> {
    let failed = || Error::sql("begin to read", url.database());
    let mut connection = connect(url).await?;
    for statement in [session::settings(&[session::PATIENT, READER]), SNAPSHOT.to_owned()] {
        let run = async || sqlx::raw_sql(AssertSqlSafe(statement.clone())).execute(&mut connection).await;
        first_answer(url, run).await?.map_err(failed())?;
    }
    Ok(connection)
}
