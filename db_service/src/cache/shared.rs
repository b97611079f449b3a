//! Results in the database, where other processes find them.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use database::retry::Backoff;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::{PgPool, Postgres, Transaction};

use super::question::Key;
use crate::interval::interval;

/// The generations of `004_enable_pg_cache.sql`.
#[derive(Debug)]
pub(super) struct Shared {
    pool: PgPool,
    lifetime: Duration,
    patience: Duration,
    /// Until then it is left alone, since it has failed.
    broken_until: Mutex<Option<Instant>>,
}

/// What it says to whoever asks.
pub(super) enum Entered<T> {
    /// There is one, of so many bytes.
    Found(usize, T),
    /// There is none, and nobody else computes it until this is given back.
    Turn(Turn),
    /// It is of no use now.
    Alone,
}

/// A transaction with the lock of a key.
pub(super) struct Turn {
    transaction: Transaction<'static, Postgres>,
    digest: [u8; 32],
}

/// The first byte of what is stored: the form of the rest. Anything else is none of ours.
const FORM: u8 = 1;

/// So long after a failure it is not asked again.
const PAUSE: Duration = Duration::from_secs(1);

impl Shared {
    pub(super) fn new(pool: PgPool, lifetime: Duration, patience: Duration) -> Self {
        Self { pool, lifetime, patience, broken_until: Mutex::default() }
    }

    /// The value of a key, or the turn to compute it. Another process that computes it is waited for.
    pub(super) async fn enter<T: DeserializeOwned>(&self, key: &Key) -> Result<Entered<T>, sqlx::Error> {
        let broken_until = *self.broken_until.lock().unwrap_or_else(PoisonError::into_inner);
        if broken_until.is_some_and(|until| Instant::now() < until) {
            return Ok(Entered::Alone);
        }
        let entered = self.try_to_enter(key.digest()).await;
        if entered.is_err() {
            self.broke();
        }
        entered
    }

    /// Gives a value to all who ask, together with the turn. It need not be there for long.
    pub(super) async fn put(&self, turn: Turn, value: &[u8]) -> Result<(), sqlx::Error> {
        let put = async {
            let Turn { mut transaction, digest } = turn;
            let put = sqlx::query_file!("queries/cache_put.sql", &digest[..], value, interval(self.lifetime));
            put.execute(&mut *transaction).await?;
            transaction.commit().await
        };
        let put = put.await;
        if put.is_err() {
            self.broke();
        }
        put
    }

    async fn try_to_enter<T: DeserializeOwned>(&self, digest: [u8; 32]) -> Result<Entered<T>, sqlx::Error> {
        let started = Instant::now();
        let mut backoff = Backoff::new(Duration::from_millis(2), Duration::from_millis(100));
        loop {
            let found = sqlx::query_file_scalar!("queries/cache_get.sql", &digest[..]).fetch_one(&self.pool).await?;
            if let Some((bytes, value)) = decode(found) {
                return Ok(Entered::Found(bytes, value));
            }
            let mut transaction = self.pool.begin().await?;
            let is_ours =
                sqlx::query_file_scalar!("queries/cache_turn.sql", &digest[..]).fetch_one(&mut *transaction).await?;
            if is_ours {
                // Whoever had the lock may have stored it since we looked: who lets go of the lock has done that before.
                let found =
                    sqlx::query_file_scalar!("queries/cache_get.sql", &digest[..]).fetch_one(&mut *transaction).await?;
                return Ok(match decode(found) {
                    Some((bytes, value)) => Entered::Found(bytes, value),
                    None => Entered::Turn(Turn { transaction, digest }),
                });
            }
            drop(transaction);
            if started.elapsed() >= self.patience {
                return Ok(Entered::Alone);
            }
            tokio::time::sleep(backoff.pause()).await;
        }
    }

    fn broke(&self) {
        *self.broken_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + PAUSE);
    }
}

/// As it is stored; none for what JSON cannot say.
pub(super) fn encode(value: &impl Serialize) -> Option<Vec<u8>> {
    let mut bytes = vec![FORM];
    serde_json::to_writer(&mut bytes, value).ok()?;
    Some(bytes)
}

/// What is stored otherwise is as good as nothing: it is computed again, and replaced.
fn decode<T: DeserializeOwned>(bytes: Option<Vec<u8>>) -> Option<(usize, T)> {
    let bytes = bytes?;
    let (form, text) = bytes.split_first()?;
    (*form == FORM).then(|| serde_json::from_slice(text).ok()).flatten().map(|value| (bytes.len(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_none_of_ours_is_not_read() {
        let stored = encode(&vec![1, 2]).unwrap();
        assert_eq!(decode::<Vec<i32>>(Some(stored.clone())), Some((stored.len(), vec![1, 2])));
        let mut newer = stored.clone();
        newer[0] = FORM + 1;
        for bytes in [None, Some(Vec::new()), Some(newer), Some(stored[..3].to_vec()), Some(vec![FORM])] {
            assert_eq!(decode::<Vec<i32>>(bytes.clone()), None, "{bytes:?}");
        }
    }
}
