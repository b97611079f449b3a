//! Connections that read one moment, as many as there is room for.

use database::{DatabaseUrl, side_by_side, snapshot};
use sqlx::PgConnection;
use terminal::activity::{Count, Unit};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::Analysis;
use super::slice::Slice;
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

    pub(super) async fn close(self) {
        snapshot::end(self.connections).await;
    }
}

/// What is read of a table, and for what.
pub(super) struct Reading {
    pub(super) table: &'static str,
    /// As a verb phrase, for errors.
    pub(super) doing: &'static str,
    /// For who watches, at first.
    pub(super) phase: &'static str,
    /// Slices for each connection: the more, the less one waits for another at the end.
    pub(super) slices: usize,
}

impl Reading {
    pub(super) fn failed(&self, url: &DatabaseUrl) -> impl FnOnce(sqlx::Error) -> database::Error + use<> {
        database::Error::sql(self.doing, url.database())
    }
}

impl Analysis<'_> {
    /// Connections, and the slices of a table for them.
    pub(super) async fn begin(&self, reading: &Reading) -> Result<(Readers, Vec<Slice>), Error> {
        let mut readers = Readers::open(self.url, self.connections).await?;
        let least = reading.slices * readers.connections.len();
        let slices = Slice::of(&mut readers.connections[0], reading.table, least).await;
        Ok((readers, slices.map_err(reading.failed(self.url))?))
    }

    /// Does something for each slice of a table.
    pub(super) async fn for_each_slice(
        &self,
        reading: &Reading,
        work: impl AsyncFn(&mut PgConnection, &Slice) -> Result<(), sqlx::Error>,
    ) -> Result<(), Error> {
        let (mut readers, slices) = self.begin(reading).await?;
        let activity = self.watcher.began(reading.table);
        let bytes = slices.iter().map(|slice| slice.bytes).sum();
        activity.phase(reading.phase, Some(Count::of(Unit::Bytes, bytes)));
        let one = async |connection: &mut PgConnection, slice: Slice| {
            work(connection, &slice).await?;
            activity.advanced(slice.bytes);
            Ok(())
        };
        let done = side_by_side::work_off(&mut readers.connections, slices, one).await;
        done.map_err(reading.failed(self.url))?;
        readers.close().await;
        Ok(())
    }
}
