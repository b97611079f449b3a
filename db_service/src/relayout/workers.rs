//! Several connections that work a list off side by side. One thread is enough: the work is the server's.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use futures_util::future::join_all;
use sqlx::PgConnection;

use crate::{DatabaseUrl, Error, connection};

/// Works `items` off with `own` and as many more connections as make `jobs`. After an error nothing new is begun, and what
/// is under way comes to its end: a connection that was dropped would leave its statement running.
pub(crate) async fn work_off<T>(
    url: &DatabaseUrl,
    own: &mut PgConnection,
    jobs: usize,
    items: Vec<T>,
    failed: impl Fn(sqlx::Error) -> Error,
    work: impl AsyncFn(&mut PgConnection, T) -> Result<(), sqlx::Error>,
) -> Result<(), Error> {
    let mut others = Vec::new();
    for _ in 1..jobs.clamp(1, items.len().max(1)) {
        let mut other = connection::connect(url).await?;
        connection::prepare_for_changes(&mut other).await.map_err(&failed)?;
        others.push(other);
    }
    let queue = RefCell::new(VecDeque::from(items));
    let error = Cell::new(None);
    let one = async |connection: &mut PgConnection| {
        loop {
            let next = queue.borrow_mut().pop_front();
            let Some(item) = next else { break };
            if let Err(problem) = work(&mut *connection, item).await {
                queue.borrow_mut().clear();
                error.set(Some(problem));
            }
        }
    };
    join_all(std::iter::once(own).chain(others.iter_mut()).map(one)).await;
    for other in others {
        connection::close(other).await;
    }
    error.into_inner().map_or(Ok(()), |error| Err(failed(error)))
}
