//! Tables from which rows go when their time is over, a batch at a time.

use terminal::activity::{Activity, Count, Unit};

use super::contract::State;

/// Rows of a transaction: a kill loses no more, and nobody waits long.
pub(super) const BATCH: i64 = 10_000;

/// Of so many, counted no further than a thousand.
pub(super) fn state(count: i64, fine: &str, due: &str) -> State {
    match count {
        0 => State::Fine(fine.into()),
        1000.. => State::Due(format!("1000 or more {due}")),
        count => State::Due(format!("{count} {due}")),
    }
}

/// Until a batch was not full.
pub(super) async fn in_batches(
    work: &dyn Activity,
    mut batch: impl AsyncFnMut() -> Result<u64, sqlx::Error>,
) -> Result<State, sqlx::Error> {
    work.phase("deleting", Some(Count::about(Unit::Rows, 0, 0)));
    let mut all = 0;
    loop {
        let rows = batch().await?;
        all += rows;
        work.advanced(rows);
        if rows < BATCH.unsigned_abs() {
            return Ok(State::Fine(format!("{all} rows deleted")));
        }
    }
}

#[cfg(test)]
mod tests {
    use terminal::activity::{Unwatched, Watcher as _};

    use super::*;

    #[tokio::test]
    async fn batches_go_on_until_one_is_not_full() {
        let mut left = [BATCH.unsigned_abs(), BATCH.unsigned_abs(), 0].into_iter();
        let work = Unwatched.began("table");
        let state = in_batches(work.as_ref(), async || Ok(left.next().unwrap())).await.unwrap();
        assert_eq!(state, State::Fine("20000 rows deleted".into()));
    }

    #[test]
    fn a_count_that_was_cut_off_says_so() {
        assert_eq!(state(0, "none", "are old"), State::Fine("none".into()));
        assert_eq!(state(3, "none", "are old"), State::Due("3 are old".into()));
        assert_eq!(state(1000, "none", "are old"), State::Due("1000 or more are old".into()));
    }
}
