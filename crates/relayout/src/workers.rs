//! Several connections that may change things, side by side.

use database::side_by_side;
use database::{DatabaseLock, Worker};

use crate::error::Error;

/// Works `items` off with `own` and as many more connections as make `jobs`. After an error nothing new is begun, and what
/// is under way comes to its end: a connection that was dropped would leave its statement running.
pub(crate) async fn work_off<T>(
    lock: &DatabaseLock,
    own: &mut Worker,
    jobs: usize,
    items: Vec<T>,
    failed: impl Fn(sqlx::Error) -> Error,
    work: impl AsyncFn(&mut Worker, T) -> Result<(), sqlx::Error>,
) -> Result<(), Error> {
    let jobs = jobs.clamp(1, items.len().max(1));
    divided(lock, own, jobs, |_| items, failed, work).await
}

/// The same, where the items are made for the number of connections that could be had.
pub(crate) async fn divided<T>(
    lock: &DatabaseLock,
    own: &mut Worker,
    jobs: usize,
    items: impl FnOnce(usize) -> Vec<T>,
    failed: impl Fn(sqlx::Error) -> Error,
    work: impl AsyncFn(&mut Worker, T) -> Result<(), sqlx::Error>,
) -> Result<(), Error> {
    let mut others = Vec::new();
    for _ in 1..jobs {
        match Worker::connect(lock).await {
            Ok(other) => others.push(other),
            // With fewer it takes longer.
            Err(error) if error.has_no_room() => break,
            Err(error) => return Err(error.into()),
        }
    }
    let items = items(1 + others.len());
    let done = side_by_side::work_off(std::iter::once(own).chain(&mut others), items, work).await;
    for other in others {
        other.close().await;
    }
    done.map_err(failed)
}
