//! The databases that benchmarks make for themselves.

use database::environment::{self, Environment};
use database::{DatabaseUrl, ServerUrl, connection};
use sqlx::AssertSqlSafe;

use crate::error::Error;

/// Sets a scratch database up as users of the project would, with these arguments; false if that failed.
pub type SetUp<'a> = &'a dyn Fn(&DatabaseUrl, &[&str]) -> bool;

/// A benchmark marks its database as `test`; whatever has another mark, or none, is somebody's. Whether it is there.
pub(crate) async fn refuse_what_is_not_ours(server: &ServerUrl, name: &'static str) -> Result<bool, Error> {
    let mut connection = match connection::connect(&server.database(name)).await {
        Ok(connection) => connection,
        Err(error) if error.is_database_missing() => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    let mark = environment::read(&mut connection).await;
    connection::close(connection).await;
    match mark.map_err(database::Error::sql("read its environment", name))? {
        Environment::Test => Ok(true),
        environment => Err(Error::NotOurs { database: name, environment }),
    }
}

/// Works in a database of the benchmark's own, which is there neither before nor afterwards.
pub(crate) async fn within<T>(
    server: &ServerUrl,
    name: &'static str,
    work: impl AsyncFnOnce(&DatabaseUrl) -> Result<T, Error>,
) -> Result<T, Error> {
    refuse_what_is_not_ours(server, name).await?;
    drop(server, name).await?;
    // Dropped whatever became of the work; the first error is the one to report.
    let worked = work(&server.database(name)).await;
    let dropped = drop(server, name).await;
    worked.and_then(|worked| dropped.map(|()| worked))
}

pub(crate) async fn drop(server: &ServerUrl, name: &'static str) -> Result<(), Error> {
    let mut connection = connection::connect(&server.maintenance()).await?;
    let text = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
    let outcome = sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut connection).await;
    connection::close(connection).await;
    Ok(outcome.map(std::mem::drop).map_err(database::Error::sql("drop the scratch database", name))?)
}
