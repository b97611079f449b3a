//! Durations as PostgreSQL has them.

use std::time::Duration;

use sqlx::postgres::types::PgInterval;

/// To the microsecond; the longest that there is for what is longer.
pub(crate) fn interval(time: Duration) -> PgInterval {
    PgInterval { months: 0, days: 0, microseconds: i64::try_from(time.as_micros()).unwrap_or(i64::MAX) }
}
