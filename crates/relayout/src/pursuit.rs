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

/// What a stretch did to the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// It is a good deal shorter.
    Good,
    /// It gets shorter, and the shorter it is the more that counts: it will end, though a harder pace would do.
    Slow,
    /// It would take forever.
    None,
}

impl Progress {
    fn of(before: i64, length: i64) -> Self {
        if length <= before - before / 10 {
            Self::Good
        } else if length < before - before / 100 {
            Self::Slow
        } else {
            Self::None
        }
    }
}

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
            let progress = Progress::of(before, length);
            let is_hardest = progress != Progress::Good && !self.harder();
            if is_hardest && progress == Progress::None {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_gets_shorter_steadily_is_no_lost_cause() {
        // Measured with a hundred thousand vectors and six writers: 1,000 entries a second, from 67,300 on.
        let lengths: Vec<i64> = (0..=22).map(|stretch| 67_300 - 3_000 * stretch).collect();
        let progress = |pair: &[i64]| Progress::of(pair[0], pair[1]);
        assert!(lengths.windows(2).all(|pair| progress(pair) != Progress::None));
        assert_eq!(progress(&[67_300, 64_300]), Progress::Slow);
        assert_eq!(progress(&[4_300, 1_300]), Progress::Good);
    }

    #[test]
    fn one_that_does_not_is() {
        for (before, length) in [(67_300, 67_300), (67_300, 90_000), (67_300, 67_000), (250, 248), (0, 3)] {
            assert_eq!(Progress::of(before, length), Progress::None, "{before} to {length}");
        }
        assert_eq!(Progress::of(9, 9), Progress::Good, "few are not worth a harder pace");
    }
}
