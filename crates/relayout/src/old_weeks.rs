//! Weeks that are over: a leaf goes with all that it holds, in a moment.

use std::time::Duration;

use database::Statement;
use database::retry::{self, Attempt, Attempts, LockTrouble as _};
use database::statement::{self, FIRST_LOCK_TIMEOUT, set_lock_timeout};
use database::transaction::{self, End};
use sqlx::PgConnection;

use crate::job::Job;
use crate::layout::{Part, Week};
use crate::phase::schemas;

/// Readers and writers of the table wait behind each of them; there is time until the next run.
const ATTEMPTS: Attempts = Attempts { most: 8, first: FIRST_LOCK_TIMEOUT, longest: Duration::from_millis(500) };

/// Drops a table's leaf of a week, with its rows; false if it was not to be had, because it is in use or a job is on its way.
///
/// # Errors
/// When the server refuses it for another reason.
pub async fn drop(connection: &mut PgConnection, table: &str, week: Week) -> Result<bool, sqlx::Error> {
    let leaf = Part::Week(week).of(table);
    let once = async |connection: &mut PgConnection, timeout| {
        let work = async |connection: &mut PgConnection| {
            set_lock_timeout(connection, timeout).await?;
            if is_being_changed(connection, table).await? {
                return Ok(End::Rollback(Attempt::Done(false)));
            }
            let drop = Statement::new("its time is over", format!("DROP TABLE IF EXISTS {leaf}"));
            statement::execute(connection, &[drop, schemas::drop_empty()]).await?;
            Ok(End::Commit(Attempt::Done(true)))
        };
        transaction::run(connection, transaction::CHANGE, work).await
    };
    match retry::until_locked(connection, ATTEMPTS, async |_| Ok(()), once).await {
        Ok(is_gone) => Ok(is_gone.unwrap_or(false)),
        Err(error) if error.is_lock_trouble() => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether a job copies the table's rows.
async fn is_being_changed(connection: &mut PgConnection, table: &str) -> Result<bool, sqlx::Error> {
    Ok(Job::unfinished(connection, table).await?.is_some())
}
