//! Several connections that work a list off. One thread is enough: the work is the server's.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use futures_util::future::join_all;

/// Does the work for each item, on whichever connection is free. After an error nothing new is begun, and what is under way comes
/// to its end: a connection that was dropped would leave its statement running.
///
/// # Errors
/// The last one of the work.
pub async fn work_off<'a, C: 'a, T, E>(
    connections: impl IntoIterator<Item = &'a mut C>,
    items: Vec<T>,
    work: impl AsyncFn(&mut C, T) -> Result<(), E>,
) -> Result<(), E> {
    let queue = RefCell::new(VecDeque::from(items));
    let error = Cell::new(None);
    let one = async |connection: &mut C| {
        loop {
            let next = queue.borrow_mut().pop_front();
            let Some(item) = next else { break };
            if let Err(problem) = work(&mut *connection, item).await {
                queue.borrow_mut().clear();
                error.set(Some(problem));
            }
        }
    };
    join_all(connections.into_iter().map(one)).await;
    error.into_inner().map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn all_is_done_once_and_nothing_is_begun_after_an_error() {
        let done = RefCell::new(Vec::new());
        let mut connections = [0, 1, 2];
        let work = async |connection: &mut i32, item: i32| {
            *connection += 1;
            tokio::task::yield_now().await;
            done.borrow_mut().push(item);
            if item == 70 { Err("seventy") } else { Ok(()) }
        };
        assert_eq!(work_off(&mut connections, (0..60).collect(), &work).await, Ok(()));
        done.borrow_mut().sort_unstable();
        assert_eq!(done.take(), (0..60).collect::<Vec<_>>());
        assert_eq!(connections.iter().sum::<i32>(), 63, "each item was one connection's");
        assert_eq!(work_off(&mut connections, (60..90).collect(), &work).await, Err("seventy"));
        assert!(done.take().len() < 14, "what was under way, and no more");
    }
}
