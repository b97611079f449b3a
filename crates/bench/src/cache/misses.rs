//! Many who ask for the same at once, where nobody has asked before.

use std::sync::atomic::{AtomicU32, Ordering};

use db_service::cache::{self, Cache, Question, Reads};
use db_service::search::{self, Hit};
use futures_util::future::join_all;

use super::ground::Ground;
use super::hits::ALWAYS;
use crate::error::Error;

#[derive(Clone, Copy, Debug)]
pub(super) struct Misses {
    pub(super) asked: u32,
    pub(super) computed: u32,
}

/// Of all together.
const ASKED: u32 = 1000;

/// In four caches with a memory and connections of their own, as four processes have; they know of each other by the database only.
pub(super) async fn measure(ground: &Ground) -> Result<Misses, Error> {
    let Some(query) = ground.queries.first() else { return Err(Error::Failed("there is nothing to search for")) };
    let caches: Vec<Cache<Vec<Hit>>> = (0..4).map(|_| Cache::new(cache::pool(&ground.url, 4), ALWAYS)).collect();
    let computed = AtomicU32::new(0);
    let ask = async |cache: &Cache<Vec<Hit>>| {
        let question = Question::new("bench misses", Reads::Everything);
        let compute = async || {
            computed.fetch_add(1, Ordering::Relaxed);
            search::search(&ground.pool, query).await
        };
        cache.get(question, compute).await.map(drop)
    };
    let asked = caches.iter().cycle().take(ASKED as usize);
    join_all(asked.map(ask)).await.into_iter().collect::<Result<(), _>>()?;
    Ok(Misses { asked: ASKED, computed: computed.into_inner() })
}
