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
    let mut others = Vec::new();
    for _ in 1..jobs.clamp(1, items.len().max(1)) {
        others.push(Worker::connect(lock).await?);
    }
    let queue = RefCell::new(VecDeque::from(items));
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
