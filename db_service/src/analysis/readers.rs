//! Connections that work slices off side by side. One thread is enough: the work is the server's.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use database::{DatabaseUrl, snapshot};
use futures_util::future::join_all;
use sqlx::PgConnection;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::error::Error;

/// Of all questions that a process asks at once.
pub const MOST_CONNECTIONS: usize = 16;

static ROOM: Semaphore = Semaphore::const_new(MOST_CONNECTIONS);

/// Connections that read the same moment, as long as they are held.
pub(super) struct Readers {
    pub(super) connections: Vec<PgConnection>,
    _room: Vec<SemaphorePermit<'static>>,
}

impl Readers {
    /// Waits until there is room for one, and takes as much more as there is.
    pub(super) async fn open(url: &DatabaseUrl, most: usize) -> Result<Self, Error> {
        let mut room: Vec<SemaphorePermit<'static>> = ROOM.acquire().await.into_iter().collect();
        room.extend(std::iter::from_fn(|| ROOM.try_acquire().ok()).take(most.saturating_sub(1)));
        let connections = snapshot::connections(url, room.len()).await?;
        room.truncate(connections.len());
        Ok(Self { connections, _room: room })
    }

    /// Does the work for each item. After an error nothing new is begun, and what is under way comes to its end.
    pub(super) async fn work_off<T>(
        &mut self,
        items: Vec<T>,
        work: impl AsyncFn(&mut PgConnection, T) -> Result<(), sqlx::Error>,
    ) -> Result<(), sqlx::Error> {
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
        join_all(self.connections.iter_mut().map(one)).await;
        error.into_inner().map_or(Ok(()), Err)
    }

    pub(super) async fn close(self) {
        snapshot::end(self.connections).await;
    }
}
