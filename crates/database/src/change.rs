//! A change that takes locks which others would wait behind: one transaction, asked for in short attempts.

use std::time::Duration;

use sqlx::PgConnection;

use crate::retry::{self, Attempt, Attempts};
use crate::statement::FIRST_LOCK_TIMEOUT;
use crate::transaction::{self, End};
use crate::worker::Worker;

/// A few minutes in all.
const ATTEMPTS: Attempts = Attempts { most: 12, first: FIRST_LOCK_TIMEOUT, longest: Duration::from_secs(10) };

/// Does it and commits. `work` is given the `lock_timeout` of the attempt, and sets it before it asks for such a lock; what
/// it did is rolled back before it is tried again.
///
/// # Errors
/// The first that is no lock trouble, or that of the last attempt.
pub async fn change(
    worker: &mut Worker,
    mut work: impl AsyncFnMut(&mut PgConnection, Duration) -> Result<(), sqlx::Error>,
) -> Result<(), sqlx::Error> {
    let once = async |worker: &mut Worker, timeout| {
        let work = async |connection: &mut PgConnection| work(connection, timeout).await.map(End::Commit);
        transaction::run(worker, transaction::CHANGE, work).await.map(Attempt::Done)
    };
    retry::until_locked(worker, ATTEMPTS, async |_| Ok(()), once).await.map(drop)
}
