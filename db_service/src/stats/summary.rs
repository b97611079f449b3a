//! What was measured, summed up.

use std::time::Duration;

use serde::Serialize;
use sqlx::PgConnection;

use crate::error::Error;
use crate::interval::interval;

/// The queries of one type in some time until now.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// `rag_performance_stats.query_type`.
    pub query_type: String,
    /// All of them.
    #[serde(flatten)]
    pub whole: Figures,
    /// The same by slots of equal length, oldest first; none for those in which there was no query.
    pub slots: Vec<Option<Figures>>,
}

/// What some queries took.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Figures {
    /// How many.
    pub queries: u64,
    /// How many of them a cache answered.
    pub hits: u64,
    /// Half of them took no longer, in milliseconds; between two, what lies between.
    pub p50: f64,
    /// 95 of 100.
    pub p95: f64,
    /// 99 of 100.
    pub p99: f64,
    /// All of them.
    pub longest: f64,
}

/// By type, the most frequent first; `slots` of equal length from `since` ago until now. Reads all that was measured since then,
/// by the index on its time. `query_type`: only this one.
///
/// # Errors
/// When the table cannot be read.
pub async fn summary(
    connection: &mut PgConnection,
    since: Duration,
    slots: u16,
    query_type: Option<&str>,
    database: &str,
) -> Result<Vec<Summary>, Error> {
    let rows = sqlx::query_file!("queries/stats_summary.sql", interval(since), i32::from(slots), query_type)
        .fetch_all(connection)
        .await
        .map_err(database::Error::sql("sum up what was measured", database))?;
    let mut summaries: Vec<Summary> = Vec::new();
    for row in rows {
        let [p50, p95, p99, longest] = row.percentiles[..] else { continue };
        let (queries, hits) = (row.queries.unsigned_abs(), row.hits.unsigned_abs());
        let figures = Figures { queries, hits, p50, p95, p99, longest };
        match (row.slot.and_then(|slot| usize::try_from(slot - 1).ok()), summaries.last_mut()) {
            (Some(slot), Some(of_type)) => {
                if let Some(place) = of_type.slots.get_mut(slot) {
                    *place = Some(figures);
                }
            }
            _ => summaries.push(Summary {
                query_type: row.query_type,
                whole: figures,
                slots: vec![None; usize::from(slots)],
            }),
        }
    }
    Ok(summaries)
}
