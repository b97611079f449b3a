//! Many contents that nobody has: told from the filter, and asked for.

use std::time::{Duration, Instant};

use db_service::dedup::{ContentHash, KnownContents};
use sqlx::PgPool;

use super::ground::{FILES, SCRATCH};
use crate::error::Error;
use crate::percentile::median;

#[derive(Clone, Copy, Debug)]
pub(super) struct Imported {
    /// For all of them, what the filter has missed since the last question included.
    pub(super) by_filter: Duration,
    /// For all of them, by one exact question.
    pub(super) exactly: Duration,
    /// To catch up where nothing was written.
    pub(super) caught_up: Duration,
}

const ROUNDS: u32 = 7;

pub(super) async fn measure(pool: &PgPool) -> Result<Imported, Error> {
    let contents = KnownContents::new(pool.clone(), Duration::ZERO);
    contents.view().await?;
    let [mut by_filter, mut exactly, mut caught_up] = [const { Vec::new() }; 3];
    for round in 0..ROUNDS {
        let hashes: Vec<ContentHash> =
            (0..FILES).map(|number| ContentHash::of(format!("unknown {round} {number}"))).collect();
        let started = Instant::now();
        let known = contents.known(hashes.iter().copied()).await?;
        by_filter.push(started.elapsed());
        if !known.is_empty() {
            return Err(Error::Failed("contents are known that nobody has written"));
        }
        let bytes: Vec<&[u8]> = hashes.iter().map(|hash| &hash.as_bytes()[..]).collect();
        let started = Instant::now();
        let known = sqlx::query_scalar::<_, Vec<u8>>("SELECT content_hash FROM db_service.known_content($1)");
        known.bind(bytes).fetch_all(pool).await.map_err(database::Error::sql("ask for contents", SCRATCH))?;
        exactly.push(started.elapsed());
        let started = Instant::now();
        contents.view().await?;
        caught_up.push(started.elapsed());
    }
    Ok(Imported { by_filter: median(&mut by_filter), exactly: median(&mut exactly), caught_up: median(&mut caught_up) })
}
