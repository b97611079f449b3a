//! Results that hold as long as the rows they were computed from do not change.
//!
//! A result is stored under a key that carries the versions of the repositories it reads (`004_enable_pg_cache.sql`,
//! `docs/query-cache.md`). After a change nobody asks for that key any more, so nothing has to be found and deleted. The
//! versions are read **before** the computation begins, and are used unchanged when its result is stored: what changes in
//! between leaves an entry that nobody asks for, never one that is out of date.
//!
//! An answer comes from the memory of this process, from the database, where other processes have put it, or it is computed;
//! by one, where many ask for the same at once, in this process or in several. Whatever fails in the cache costs time, and
//! never an answer.
//!
//! ```no_run
//! # async fn example(url: &database::DatabaseUrl, pool: sqlx::PgPool) -> Result<(), sqlx::Error> {
//! use std::time::Duration;
//!
//! use db_service::cache::{self, Cache, Options, Question, Reads};
//!
//! let options = Options {
//!     bytes: 64 << 20,
//!     lifetime: Duration::from_hours(1),
//!     at_least: Duration::from_millis(1),
//!     version_age: Duration::ZERO,
//!     patience: Duration::from_secs(2),
//! };
//! let cache: Cache<i64> = Cache::new(cache::pool(url, 10), options);
//! let question = Question::new("files", Reads::repository("tokio"));
//! let files = "SELECT count(*) FROM code_files WHERE repo_name = 'tokio'";
//! let answer = cache.get(question, async || sqlx::query_scalar(files).fetch_one(&pool).await).await?;
//! println!("{} files, from {}", answer.value, answer.origin);
//! # Ok(())
//! # }
//! ```

mod answer;
mod flight;
mod memory;
mod question;
mod shared;
mod tally;
mod version;

use std::sync::Arc;
use std::time::{Duration, Instant};

use database::DatabaseUrl;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use flight::Flights;
use memory::Memory;
use question::Key;
use shared::{Entered, Shared};
use tally::Counts;
use version::Versions;

pub use answer::{Answer, Origin};
pub use question::{Question, Reads};
pub use tally::Tally;

/// How a cache works.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Of keys and values in the memory of this process, at most.
    pub bytes: u64,
    /// How long a result is kept in memory, and in the database, though nothing has changed.
    pub lifetime: Duration,
    /// What is computed in less time is not kept: to look for it would cost as much.
    pub at_least: Duration,
    /// How old the knowledge of a version may be. Zero: it is read for every question, with one look into an index, so that
    /// no answer is older than the question. Otherwise answers are this much out of date at most.
    pub version_age: Duration,
    /// How long another process that computes the same is waited for; then it is computed here as well.
    pub patience: Duration,
}

/// Results of one type. To be shared by all who ask for them in a process.
#[derive(Debug)]
pub struct Cache<T> {
    options: Options,
    versions: Versions,
    memory: Memory<T>,
    shared: Shared,
    flights: Flights<T>,
    counts: Counts,
}

/// Connections for a cache, at most so many; each is opened when it is needed.
///
/// Whether one still works is found out by using it, which saves every answer a round trip: where it does not, an answer is
/// computed.
#[must_use]
pub fn pool(url: &DatabaseUrl, most: u32) -> PgPool {
    let options = PgPoolOptions::new().max_connections(most).test_before_acquire(false);
    options.connect_lazy_with(url.for_sqlx().application_name("singularity cache"))
}

impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> Cache<T> {
    /// An empty one. `pool` is asked for versions and for what other processes have stored: while something is computed, one of
    /// its connections is kept; so what computes has a pool of its own.
    #[must_use]
    pub fn new(pool: PgPool, options: Options) -> Self {
        Self {
            options,
            versions: Versions::new(pool.clone(), options.version_age),
            memory: Memory::new(options.bytes, options.lifetime),
            shared: Shared::new(pool, options.lifetime, options.patience),
            flights: Flights::new(),
            counts: Counts::default(),
        }
    }

    /// The answer to a question: from the cache if it has one that holds, and else what `compute` gives, which then is kept.
    ///
    /// `compute` reads what has been committed by the time that it is called. Where it fails, or nobody waits for it any more,
    /// the next who asked for the same computes by itself.
    ///
    /// # Errors
    /// Those of `compute` alone.
    pub async fn get<E>(
        &self,
        question: Question,
        compute: impl AsyncFnOnce() -> Result<T, E>,
    ) -> Result<Answer<T>, E> {
        let key = match self.versions.of(&question).await {
            Ok(Some(versions)) => question.key(&versions),
            Ok(None) => return self.compute(compute).await,
            Err(_) => {
                self.counts.failed();
                return self.compute(compute).await;
            }
        };
        if let Some(value) = self.memory.get(&key).await {
            return Ok(self.answer(value, Origin::Memory));
        }
        let seat = self.flights.join(&key);
        let mut turn = seat.turn().await;
        let there = match turn.as_ref() {
            Some(value) => Some(Arc::clone(value)),
            None => self.memory.get(&key).await,
        };
        if let Some(value) = there {
            return Ok(self.answer(value, Origin::Memory));
        }
        let entered = self.enter(&key).await;
        if let Entered::Found(bytes, value) = entered {
            let value = Arc::new(value);
            self.memory.put(key, Arc::clone(&value), bytes).await;
            *turn = Some(Arc::clone(&value));
            return Ok(self.answer(value, Origin::Database));
        }
        let started = Instant::now();
        let answer = self.compute(compute).await?;
        *turn = Some(Arc::clone(&answer.value));
        if started.elapsed() >= self.options.at_least {
            self.keep(key, &answer.value, entered).await;
        }
        Ok(answer)
    }

    /// How often it could answer, and how often not.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.counts.tally()
    }

    async fn enter(&self, key: &Key) -> Entered<T> {
        self.shared.enter(key).await.unwrap_or_else(|_| {
            self.counts.failed();
            Entered::Alone
        })
    }

    async fn compute<E>(&self, compute: impl AsyncFnOnce() -> Result<T, E>) -> Result<Answer<T>, E> {
        let value = compute().await?;
        Ok(self.answer(Arc::new(value), Origin::Tables))
    }

    fn answer(&self, value: Arc<T>, origin: Origin) -> Answer<T> {
        self.counts.answered(origin);
        Answer { value, origin }
    }

    /// A value that cannot be written down is not kept.
    async fn keep(&self, key: Key, value: &Arc<T>, entered: Entered<T>) {
        let Some(text) = shared::encode(&**value) else { return };
        self.memory.put(key, Arc::clone(value), text.len()).await;
        if let Entered::Turn(turn) = entered
            && self.shared.put(turn, &text).await.is_err()
        {
            self.counts.failed();
        }
    }
}
