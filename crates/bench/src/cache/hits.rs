//! Answers from memory and from the database, each beside the search that they spare.

use std::hint::black_box;
use std::time::{Duration, Instant};

use db_service::cache::{self, Cache, Options, Origin};
use db_service::search::{self, Hit, Query};

use super::ground::Ground;
use crate::error::Error;
use crate::percentile::median;

/// Medians.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hits {
    pub(super) uncached: Duration,
    /// From memory, while what is known of versions is 100 ms old at most.
    pub(super) known: Duration,
    /// From memory, versions read each time.
    pub(super) read: Duration,
    /// From the database.
    pub(super) shared: Duration,
}

/// Everything is kept, and versions are read each time.
pub(super) const ALWAYS: Options = Options {
    bytes: 64 << 20,
    lifetime: Duration::from_hours(1),
    at_least: Duration::ZERO,
    version_age: Duration::ZERO,
    patience: Duration::from_secs(30),
};

/// Answers in a row, since one alone is shorter than a clock can tell.
const IN_A_ROW: u32 = 2000;

/// In turns, for each search that there is.
pub(super) async fn measure(ground: &Ground) -> Result<Hits, Error> {
    let pool = &ground.pool;
    let cached = |options| Cache::<Vec<Hit>>::new(cache::pool(&ground.url, 4), options);
    let known = cached(Options { version_age: Duration::from_millis(100), ..ALWAYS });
    let read = cached(ALWAYS);
    // It keeps nothing in memory.
    let shared = cached(Options { bytes: 0, ..ALWAYS });
    for query in &ground.queries {
        for cache in [&known, &read, &shared] {
            search::cached(cache, pool, query).await?;
        }
    }
    let [mut without, mut at_once, mut looked_up, mut found] = [const { Vec::new() }; 4];
    for query in ground.queries.iter().cycle().take(3 * ground.queries.len()) {
        let started = Instant::now();
        black_box(search::search(pool, query).await?);
        without.push(started.elapsed());
        let started = Instant::now();
        for _ in 0..IN_A_ROW {
            black_box(search::cached(&known, pool, query).await?);
        }
        at_once.push(started.elapsed() / IN_A_ROW);
        looked_up.push(answered(&read, Origin::Memory, ground, query).await?);
        found.push(answered(&shared, Origin::Database, ground, query).await?);
    }
    Ok(Hits {
        uncached: median(&mut without),
        known: median(&mut at_once),
        read: median(&mut looked_up),
        shared: median(&mut found),
    })
}

/// How long an answer takes that has to come from there.
async fn answered(cache: &Cache<Vec<Hit>>, origin: Origin, ground: &Ground, query: &Query) -> Result<Duration, Error> {
    let started = Instant::now();
    let answer = search::cached(cache, &ground.pool, query).await?;
    let took = started.elapsed();
    if answer.origin == origin { Ok(took) } else { Err(Error::Failed("the cache had forgotten an answer")) }
}
