//! Searches that are measured.

use std::time::Instant;

use super::{Hit, Query, Scope};
use crate::cache::{Answer, Origin};
use crate::stats::{Measurement, Recorder};

/// What a search found, in whatever way it was made.
pub trait Outcome {
    /// How many rows.
    fn rows(&self) -> usize;

    /// Whether a cache had them.
    fn is_hit(&self) -> bool;
}

impl Outcome for Vec<Hit> {
    fn rows(&self) -> usize {
        self.len()
    }

    fn is_hit(&self) -> bool {
        false
    }
}

impl Outcome for Answer<Vec<Hit>> {
    fn rows(&self) -> usize {
        self.value.len()
    }

    fn is_hit(&self) -> bool {
        self.origin != Origin::Tables
    }
}

/// Makes a search, [`search`](super::search()) or [`cached`](super::cached()), and records what it took; one that fails is not
/// recorded. Its type is that of the function that it calls: `search_in_repository`, `search_in_repositories` or
/// `search_across`.
///
/// # Errors
/// Those of the search.
pub async fn recorded<T: Outcome, E>(
    recorder: &Recorder,
    query: &Query,
    search: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let started = Instant::now();
    let found = search.await?;
    let took = started.elapsed();
    let measurement = match &query.scope {
        Scope::Repository(repository) => Measurement::new("search_in_repository", took).repository(repository),
        Scope::Repositories(_) => Measurement::new("search_in_repositories", took),
        Scope::Everywhere => Measurement::new("search_across", took),
    };
    recorder.record(measurement.rows(found.rows()).cache_hit(found.is_hit()));
    Ok(found)
}
