//! Whether the statistics of searches should be kept in parts by time.

use relayout::layout::Bytes;
use serde_json::json;

use super::measured::Measured;
use super::point::Advice;
use super::threshold::MANY_STATISTICS;

const RULE: &str = "statistics";
const BY_WEEK: &str = "migrations layout --table rag_performance_stats --by-week inserted_at";

pub(super) fn advise(measured: &Measured) -> Vec<Advice> {
    let Some(statistics) = measured.statistics else { return Vec::new() };
    let timescaledb = measured.extensions.timescaledb.as_deref();
    let figures = json!({
        "rows": statistics.rows, "bytes": statistics.bytes, "is_in_parts": statistics.is_in_parts,
        "many": MANY_STATISTICS, "timescaledb": timescaledb,
    });
    let kept = if statistics.is_in_parts { "in parts by time" } else { "in one table" };
    let message =
        format!("`rag_performance_stats` has about {} rows, {}, {kept}", statistics.rows, Bytes(statistics.bytes));
    vec![if statistics.is_in_parts || statistics.rows < MANY_STATISTICS {
        Advice::fine(RULE, message, figures)
    } else {
        let why = format!(
            "from {MANY_STATISTICS} rows on, old ones are better dropped with a part of the table than deleted one by one"
        );
        Advice::to_do(RULE, message, figures).why(why).run(&[BY_WEEK])
    }]
}
