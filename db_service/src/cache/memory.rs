//! Results in the memory of this process.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;

use super::question::Key;

/// Bounded by bytes; what was asked for least goes first.
pub(super) struct Memory<T>(Cache<Key, Entry<T>, foldhash::fast::RandomState>);

struct Entry<T> {
    value: Arc<T>,
    /// Of the value, written down.
    bytes: usize,
}

impl<T> Clone for Entry<T> {
    fn clone(&self) -> Self {
        Self { value: Arc::clone(&self.value), bytes: self.bytes }
    }
}

impl<T> fmt::Debug for Memory<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Memory").finish_non_exhaustive()
    }
}

/// What an entry takes besides, about.
const OVERHEAD: usize = 200;

impl<T: Send + Sync + 'static> Memory<T> {
    pub(super) fn new(bytes: u64, lifetime: Duration) -> Self {
        let weight =
            |key: &Key, entry: &Entry<T>| u32::try_from(key.len() + entry.bytes + OVERHEAD).unwrap_or(u32::MAX);
        let cache = Cache::builder().max_capacity(bytes).weigher(weight).time_to_live(lifetime);
        Self(cache.build_with_hasher(foldhash::fast::RandomState::default()))
    }

    pub(super) async fn get(&self, key: &Key) -> Option<Arc<T>> {
        self.0.get(key).await.map(|entry| entry.value)
    }

    /// `bytes` is the size of the value.
    pub(super) async fn put(&self, key: Key, value: Arc<T>, bytes: usize) {
        self.0.insert(key, Entry { value, bytes }).await;
    }
}
