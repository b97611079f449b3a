//! What one query took.

use std::borrow::Cow;
use std::time::{Duration, Instant};

/// A query that was measured: a row of `rag_performance_stats`.
#[derive(Clone, Debug)]
pub struct Measurement {
    pub(super) query_type: Cow<'static, str>,
    pub(super) repository: Option<Box<str>>,
    pub(super) took: Duration,
    pub(super) rows: u32,
    pub(super) is_hit: bool,
    pub(super) at: Instant,
}

impl Measurement {
    /// A query of this type took so long, until now, across all repositories, and returned nothing.
    #[must_use]
    pub fn new(query_type: impl Into<Cow<'static, str>>, took: Duration) -> Self {
        Self { query_type: query_type.into(), repository: None, took, rows: 0, is_hit: false, at: Instant::now() }
    }

    /// In this repository alone.
    #[must_use]
    pub fn repository(self, name: &str) -> Self {
        Self { repository: Some(name.into()), ..self }
    }

    /// It returned so many rows.
    #[must_use]
    pub fn rows(self, rows: usize) -> Self {
        Self { rows: u32::try_from(rows).unwrap_or(u32::MAX), ..self }
    }

    /// Whether a cache had the answer.
    #[must_use]
    pub fn cache_hit(self, is_hit: bool) -> Self {
        Self { is_hit, ..self }
    }
}
