//! Draining the log until it is short, however fast writers fill it: where it does not get shorter the pace gets harder.

use std::cell::Cell;
use std::time::Duration;

use database::{DatabaseLock, Worker};
use sqlx::PgConnection;
use terminal::activity::{Activity, Count, Unit};

use crate::brake::{Brake, Braked};
use crate::budget::Budget;
use crate::drain::Drain;
use crate::error::Error;
use crate::job::Job;
use crate::pace::Pace;

/// So few entries may be drained while nobody can write.
const SHORT: i64 = 200;
/// After that long we look whether the log has shrunk.
const STRETCH: Duration = Duration::from_secs(3);
/// So many stretches at the hardest pace may leave it as long as it was.
const MOST_IN_VAIN: u32 = 8;

/// That of a job.
pub(crate) struct Pursuit<'a> {
    lock: &'a DatabaseLock,
    drain: &'a Drain,
    brake: Brake<'a>,
    pace: Cell<Pace>,
    activity: &'a dyn Activity,
}

impl<'a> Pursuit<'a> {
    /// At the budget's pace.
    pub(crate) fn new(
        lock: &'a DatabaseLock,
        job: &'a Job,
        drain: &'a Drain,
        budget: Budget,
        activity: &'a dyn Activity,
    ) -> Self {
        let pace = Cell::new(Pace::new(budget, drain.in_whole));
        Self { lock, drain, brake: Brake::new(job), pace, activity }
    }

    /// Drains, a transaction a round, until little comes in meanwhile.
    pub(crate) async fn catch_up(&self, own: &mut Worker) -> Result<(), Error> {
        let drain = self.drain;
        let failed = drain.failed(self.lock);
        let (mut before, mut in_vain) = (drain.length(own).await.map_err(&failed)?, 0);
        let entries = Count::of(Unit::Entries, before.unsigned_abs());
        self.activity.phase("catching up", Some(entries));
        loop {
            let Pace { connections, brake, .. } = self.pace.get();
            if !brake.is_zero() {
                self.brake.put_on(own, brake).await.map_err(&failed)?;
                let slower = format!("catching up, writers slowed by {} ms a row", brake.as_millis());
                self.activity.phase(&slower, Some(Count::of(Unit::Entries, before.unsigned_abs())));
            }
            let is_caught = if drain.in_whole {
                drain.moments(own, STRETCH).await.map_err(&failed)?
            } else {
                drain.side_by_side(self.lock, own, connections, STRETCH).await?
            };
            let length = drain.length(own).await.map_err(&failed)?;
            if is_caught && length <= SHORT {
                return Ok(());
            }
            // A tenth less is the least, or it would take forever.
            if length > before - before / 10 && !self.harder() {
                in_vain += 1;
                if in_vain == MOST_IN_VAIN {
                    return Err(drain.outrun(self.lock));
                }
            }
            before = length;
            self.activity.left(length.unsigned_abs());
        }
    }

    /// Whether the log is too long to be drained under the lock; the pace is harder then from now on.
    pub(crate) async fn is_behind(&self, connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
        let is_behind = self.drain.is_longer_than(SHORT, connection).await?;
        if is_behind {
            self.harder();
        }
        Ok(is_behind)
    }

    /// False if it is at its hardest.
    fn harder(&self) -> bool {
        let harder = self.pace.get().harder();
        self.pace.set(harder.unwrap_or(self.pace.get()));
        harder.is_some()
    }

    /// Lets writers go at their own pace; how much they were slowed down.
    pub(crate) async fn end(self, connection: &mut PgConnection) -> Result<Option<Braked>, sqlx::Error> {
        self.brake.take_off(connection).await
    }
}
