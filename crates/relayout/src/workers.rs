//! Several connections that work a list off side by side. One thread is enough: the work is the server's.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use database::{DatabaseLock, Worker};
use futures_util::future::join_all;

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
    let queue = RefCell::new(VecDeque::from(items(1 + others.len())));
    let error = Cell::new(None);
    let one = async |worker: &mut Worker| {
        loop {
            let next = queue.borrow_mut().pop_front();
            let Some(item) = next else { break };
            if let Err(problem) = work(&mut *worker, item).await {
                queue.borrow_mut().clear();
                error.set(Some(problem));
            }
        }
    };
    join_all(std::iter::once(own).chain(others.iter_mut()).map(one)).await;
    for other in others {
        other.close().await;
    }
    error.into_inner().map_or(Ok(()), |error| Err(failed(error)))
}
