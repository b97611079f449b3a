//! A filter in the memory of a process, and the questions that it spares.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use database::transaction::{self, End};
use sqlx::PgPool;
use tokio::sync::Mutex;

use super::bloom::Bloom;
use super::damage::Damage;
use super::error::Error;
use super::hash::ContentHash;
use super::stored::{self, Position};
use super::tally::{Counts, Tally};

/// Which contents are known, in whatever repository. To be shared by all who ask in a process; it takes as much memory as the
/// filter in the database, 10 bits a content, from the first question on.
#[derive(Debug)]
pub struct KnownContents {
    pool: PgPool,
    age: Duration,
    held: Mutex<Held>,
    counts: Counts,
}

/// A filter that has caught up: with all that had been committed when it was asked for.
#[derive(Clone, Debug)]
pub struct View {
    bloom: Arc<Bloom>,
}

/// What a process has of the filter.
#[derive(Debug)]
enum Held {
    Nothing,
    /// What is stored under that epoch is of no use, and need not be read again.
    Damaged(Position, Damage),
    /// With all that a snapshot has shown, which was taken after that instant.
    Filter(Arc<Bloom>, Position, Instant),
}

/// Contents that are asked for by one statement.
const BATCH: usize = 10_000;

impl KnownContents {
    /// `age` is how old the knowledge of what has been committed may be; zero: it is caught up with for every question, by one
    /// look into an index.
    #[must_use]
    pub fn new(pool: PgPool, age: Duration) -> Self {
        Self { pool, age, held: Mutex::new(Held::Nothing), counts: Counts::default() }
    }

    /// Those of the contents that are stored, in whatever repository: exactly, whether or not there is a filter. A filter only
    /// spares questions for what is not stored.
    ///
    /// What is committed before the call counts. What others commit meanwhile, and what the caller itself has not committed, may be
    /// missing: before it is written, an `INSERT … ON CONFLICT` decides.
    ///
    /// # Errors
    /// Those of the exact question. That there is no filter, or that it is of no use, is none; [`view`](Self::view) says why.
    pub async fn known(&self, hashes: impl IntoIterator<Item = ContentHash>) -> Result<HashSet<ContentHash>, Error> {
        let mut asked: Vec<ContentHash> = hashes.into_iter().collect();
        asked.sort_unstable();
        asked.dedup();
        let view = if asked.is_empty() { None } else { self.view().await.ok() };
        if let Some(view) = &view {
            let all = asked.len();
            asked.retain(|hash| view.may_hold(hash));
            self.counts.spared(all - asked.len());
        }
        let mut known = HashSet::new();
        for batch in asked.chunks(BATCH) {
            let batch: Vec<Vec<u8>> = batch.iter().map(|hash| hash.as_bytes().to_vec()).collect();
            let rows = sqlx::query_file_scalar!("queries/known_content.sql", &batch).fetch_all(&self.pool).await?;
            known.extend(rows.iter().filter_map(|hash| ContentHash::try_from(hash.as_slice()).ok()));
        }
        self.counts.asked(asked.len(), known.len(), view.is_some());
        Ok(known)
    }

    /// The filter, once it has caught up; for many questions of one moment.
    ///
    /// # Errors
    /// Why there is none that could be trusted: then everything has to be asked for.
    pub async fn view(&self) -> Result<View, Error> {
        let arrived = Instant::now();
        let mut held = self.held.lock().await;
        // Who has waited here behind another may find that this one has looked since.
        if let Held::Filter(bloom, _, since) = &*held
            && arrived.saturating_duration_since(*since) <= self.age
        {
            return Ok(View { bloom: Arc::clone(bloom) });
        }
        let looked = self.catch_up(&held).await;
        match looked {
            Ok((bloom, position, since)) => {
                *held = Held::Filter(Arc::clone(&bloom), position, since);
                Ok(View { bloom })
            }
            Err(Failed::Stored(position, damage)) => {
                *held = Held::Damaged(position, damage);
                Err(damage.into())
            }
            // What is held goes on from where it was, the next time.
            Err(Failed::Otherwise(error)) => Err(error),
        }
    }

    /// How much it was good for.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.counts.tally()
    }

    async fn catch_up(&self, held: &Held) -> Result<(Arc<Bloom>, Position, Instant), Failed> {
        let since = Instant::now();
        match held {
            Held::Nothing => {}
            Held::Damaged(before, damage) => {
                let position = stored::look(&self.pool, Some(before)).await?.position;
                if position.epoch == before.epoch {
                    return Err(Failed::Stored(position, *damage));
                }
            }
            Held::Filter(bloom, before, _) => {
                let seen = stored::look(&self.pool, Some(before)).await?;
                if seen.position.continues(before) {
                    seen.keys.iter().for_each(|keys| bloom.insert_all(keys));
                    return Ok((Arc::clone(bloom), seen.position, since));
                }
            }
        }
        self.load().await
    }

    /// The database's, with all that has been written since it was built.
    async fn load(&self) -> Result<(Arc<Bloom>, Position, Instant), Failed> {
        let since = Instant::now();
        let mut connection = self.pool.acquire().await.map_err(Error::from)?;
        let load = async |connection: &mut sqlx::PgConnection| {
            let seen = stored::look(&mut *connection, None).await?;
            match seen.load(connection).await {
                Ok(bloom) => Ok(End::Commit((Arc::new(bloom), seen.position, since))),
                Err(Error::Damaged(damage)) => Err(Failed::Stored(seen.position, damage)),
                Err(error) => Err(error.into()),
            }
        };
        let failed = |error| Failed::Otherwise(Error::from(error));
        transaction::run_with(&mut connection, transaction::SNAPSHOT, failed, load).await
    }
}

impl View {
    /// One of these contents alone, with room for so many: to try it without a database.
    #[must_use]
    pub fn of(contents: impl IntoIterator<Item = ContentHash>, capacity: u64) -> Self {
        let bloom = Bloom::with_room_for(capacity);
        contents.into_iter().for_each(|hash| bloom.insert(hash.key()));
        Self { bloom: Arc::new(bloom) }
    }

    /// How much memory its bits take.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bloom.bytes()
    }

    /// False: the content was not stored when the filter caught up, in no repository.
    #[must_use]
    pub fn may_hold(&self, hash: &ContentHash) -> bool {
        self.bloom.may_hold(hash.key())
    }
}

enum Failed {
    /// What is stored is of no use.
    Stored(Position, Damage),
    Otherwise(Error),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Otherwise(error)
    }
}
