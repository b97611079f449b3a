//! A filter in memory, beside a look into the database.

use std::hint::black_box;
use std::time::{Duration, Instant};

use db_service::dedup::{ContentHash, View};
use sqlx::PgPool;

use super::ground::{FILES, content};
use crate::percentile::median;

#[derive(Clone, Copy, Debug)]
pub(super) struct Probes {
    /// Of a content that is not there, and of one that is.
    pub(super) absent: Duration,
    pub(super) present: Duration,
    /// In the database, by its index.
    pub(super) lookup: Duration,
    /// Bits for each content, where the filter is full.
    pub(super) bits: f64,
    /// The share of absent contents that are taken for known.
    pub(super) taken: f64,
    /// Contents that are there and were denied.
    pub(super) denied: u32,
}

/// Contents that are probed in a row: more than a processor remembers the way for.
const PROBED: u32 = 1_000_000;

const ROUNDS: u32 = 5;

const LOOKUPS: u32 = 3000;

pub(super) async fn measure(contents: u32, pool: &PgPool) -> Result<Probes, sqlx::Error> {
    let hash = |number: u32| ContentHash::of(number.to_le_bytes());
    let view = View::of((0..contents).map(hash), contents.into());
    let denied = (0..contents).filter(|number| !view.may_hold(&hash(*number))).count();
    let absent: Vec<ContentHash> = (contents..contents.saturating_add(PROBED)).map(hash).collect();
    // From all over.
    let step = (contents / PROBED).max(1);
    let present: Vec<ContentHash> = (0..contents).step_by(step as usize).take(PROBED as usize).map(hash).collect();
    let taken = absent.iter().filter(|hash| view.may_hold(hash)).count();
    let mut times = [const { Vec::new() }; 2];
    for _ in 0..ROUNDS {
        for (hashes, times) in [&absent, &present].into_iter().zip(&mut times) {
            let started = Instant::now();
            for hash in hashes {
                black_box(view.may_hold(black_box(hash)));
            }
            times.push(started.elapsed() / u32::try_from(hashes.len()).unwrap_or(u32::MAX));
        }
    }
    let mut lookups = Vec::new();
    let mut connection = pool.acquire().await?;
    for number in 0..LOOKUPS {
        let hash = ContentHash::of(content(number * 7 % (2 * FILES)));
        let started = Instant::now();
        let query =
            sqlx::query_scalar::<_, bool>("SELECT EXISTS (SELECT FROM public.code_files WHERE content_hash = $1)");
        black_box(query.bind(&hash.as_bytes()[..]).fetch_one(&mut *connection).await?);
        lookups.push(started.elapsed());
    }
    let [absent, present] = times.map(|mut times| median(&mut times));
    #[expect(clippy::cast_precision_loss, reason = "a share is shown with a few digits")]
    let share = |part: u64, of: u64| part as f64 / of.max(1) as f64;
    Ok(Probes {
        absent,
        present,
        lookup: median(&mut lookups),
        bits: share(8 * view.bytes(), contents.into()),
        taken: share(taken as u64, PROBED.into()),
        denied: u32::try_from(denied).unwrap_or(u32::MAX),
    })
}
