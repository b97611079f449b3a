//! Hits that are not noted yet.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sqlx::PgPool;

/// Each is a row that is written, and most of them are of a few answers.
#[derive(Debug)]
pub(super) struct Hits {
    waiting: Mutex<Waiting>,
    /// One batch at a time.
    writing: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct Waiting {
    counts: HashMap<i64, i64>,
    since: Instant,
    /// Whether somebody was told to write them, and has not ended yet.
    is_asked: bool,
}

/// When so many answers were used, or so long ago, they are written.
const MANY: usize = 1000;
const LONG: Duration = Duration::from_secs(10);

/// While they cannot be written, hits of more answers are forgotten.
const MOST: usize = 10_000;

impl Default for Hits {
    fn default() -> Self {
        let waiting = Mutex::new(Waiting { counts: HashMap::new(), since: Instant::now(), is_asked: false });
        Self { waiting, writing: tokio::sync::Mutex::default() }
    }
}

impl Hits {
    /// Whether they are to be written now. While they are, nobody else is told to.
    pub(super) fn add(&self, id: i64) -> bool {
        let mut waiting = self.waiting();
        if waiting.counts.is_empty() {
            waiting.since = Instant::now();
        }
        waiting.add(id, 1);
        let is_due = waiting.counts.len() >= MANY || waiting.since.elapsed() >= LONG;
        is_due && !std::mem::replace(&mut waiting.is_asked, is_due)
    }

    pub(super) async fn write(&self, pool: &PgPool) -> Result<(), sqlx::Error> {
        let _one = self.writing.lock().await;
        let counts = std::mem::take(&mut self.waiting().counts);
        let outcome = note(&counts, pool).await;
        let mut waiting = self.waiting();
        (waiting.since, waiting.is_asked) = (Instant::now(), false);
        if outcome.is_err() {
            for (id, count) in &counts {
                waiting.add(*id, *count);
            }
        }
        outcome
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn note(counts: &HashMap<i64, i64>, pool: &PgPool) -> Result<(), sqlx::Error> {
    if counts.is_empty() {
        return Ok(());
    }
    let (ids, hits): (Vec<i64>, Vec<i64>) = counts.iter().unzip();
    let note = sqlx::query_scalar!("SELECT db_service.count_answer_hits($1, $2)", &ids, &hits);
    note.fetch_one(pool).await.map(drop)
}

impl Waiting {
    fn add(&mut self, id: i64, count: i64) {
        if self.counts.len() < MOST || self.counts.contains_key(&id) {
            *self.counts.entry(id).or_default() += count;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_are_written_at_once_and_no_more_are_kept_than_fit() {
        let hits = Hits::default();
        let due = (0..2 * MOST).filter(|number| hits.add(i64::try_from(number % (MOST + 100)).unwrap())).count();
        assert!(due > 0);
        let waiting = hits.waiting.into_inner().unwrap();
        assert_eq!((waiting.counts.len(), waiting.counts[&0], waiting.counts[&9899]), (MOST, 2, 2));
        assert!(!waiting.counts.contains_key(&10_000));
    }

    #[test]
    fn few_wait_for_others() {
        let hits = Hits::default();
        assert!((0..MANY - 1).all(|number| !hits.add(i64::try_from(number).unwrap())));
        assert!(hits.add(-1));
    }
}
