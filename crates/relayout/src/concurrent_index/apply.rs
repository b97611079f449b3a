//! Running the statements, each by itself, outside transactions.

use std::time::Duration;

use database::retry::{self, Attempt, Attempts};
use database::{Statement, Worker};
use sqlx::AssertSqlSafe;
use terminal::activity::{Activity, Count, Unit};

use super::index::Index;
use crate::error::Error;

/// A concurrent build waits for whoever it must and stops nobody; anything else asks for its lock in short attempts.
const ATTEMPTS: Attempts =
    Attempts { most: 51, first: Duration::from_millis(200), longest: Duration::from_millis(200) };

/// Carries a plan out.
///
/// # Errors
/// What the server said; the next run goes on.
pub async fn apply(
    worker: &mut Worker,
    statements: &[Statement],
    index: &Index,
    database: &str,
    activity: &dyn Activity,
) -> Result<(), Error> {
    let (name, total) = (index.name(), statements.len());
    let failed = Error::during(&format!("build index `{name}`"), database);
    activity.phase("building", Some(Count::of(Unit::Statements, total.try_into().unwrap_or(u64::MAX))));
    for statement in statements {
        let once = async |worker: &mut Worker, timeout: Duration| {
            let timeout = statement.lock_timeout.map_or(0, |_| timeout.as_millis());
            // By itself: a statement that may be in no transaction may be in no round trip with another one either.
            let setting = format!("SET lock_timeout = '{timeout}ms'");
            sqlx::raw_sql(AssertSqlSafe(setting)).execute(&mut **worker).await?;
            sqlx::raw_sql(AssertSqlSafe(statement.sql.clone())).execute(&mut **worker).await?;
            Ok(Attempt::Done(()))
        };
        retry::until_locked(worker, ATTEMPTS, async |_| Ok(()), once).await.map_err(&failed)?;
        activity.advanced(1);
    }
    Ok(())
}
