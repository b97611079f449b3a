//! `stats`: its options, and how it shows what queries took.

use std::time::Duration;

use database::transaction;
use db_service::stats::{self, Figures, Summary};
use ledger::migration::LAYER;
use serde_json::json;
use sqlx::PgConnection;
use terminal::step::{Status, Step};

use crate::problem::Problem;
use crate::search::Found;

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Stats {
    /// What was measured since then: `30m`, `24h`, `7d`, `2weeks`
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = time)]
    since: Duration,
    /// Only queries of this type
    #[arg(long, value_name = "TYPE")]
    query_type: Option<String>,
}

/// Of each type, so many are shown beside each other.
const SLOTS: u16 = 24;

/// What an interval of PostgreSQL's can be without being more than a timestamp can.
const LONGEST: Duration = Duration::from_hours(24 * 365 * 1000);

/// As `30m`, `24h`, `7d`.
pub(crate) fn time(text: &str) -> Result<Duration, String> {
    let time = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if time.is_zero() || time > LONGEST { Err("it is from 1us to 1000 years".into()) } else { Ok(time) }
}

impl Stats {
    pub(crate) async fn run(&self, connection: &mut PgConnection, database: &str) -> Result<Found, Problem> {
        let failed = |error| db_service::Error::from(database::Error::sql("sum up what was measured", database)(error));
        let summaries = transaction::run_with(connection, transaction::READ_ONLY, failed, async |connection| {
            let summaries = stats::summary(connection, self.since, SLOTS, self.query_type.as_deref(), database);
            summaries.await.map(transaction::End::Commit)
        });
        let summaries = summaries.await?;
        let since = humantime::format_duration(self.since).to_string();
        Ok(Found { steps: summaries.iter().map(|it| step(database, it)).collect(), text: text(&summaries, &since) })
    }
}

fn step(database: &str, summary: &Summary) -> Step {
    Step::new(database, LAYER, "statistics", &summary.query_type, Status::Found).facts(json!(summary))
}

/// A table: a line for each type.
fn text(summaries: &[Summary], since: &str) -> String {
    if summaries.is_empty() {
        return format!("nothing was measured in the last {since}");
    }
    let head = ["query type", "queries", "p50", "p95", "p99", "longest", "cached"].map(str::to_owned);
    let mut lines = vec![head];
    lines.extend(summaries.iter().map(cells));
    let width = |column: usize| lines.iter().map(|cells| cells[column].chars().count()).max().unwrap_or_default();
    let widths: [usize; 7] = std::array::from_fn(width);
    let graphs = std::iter::once(format!("p95 over the last {since}")).chain(summaries.iter().map(graph));
    let mut text = String::new();
    for (cells, graph) in lines.iter().zip(graphs) {
        for (column, cell) in cells.iter().enumerate() {
            let width = widths[column];
            let aligned = if column == 0 { format!("{cell:width$}") } else { format!("{cell:>width$}") };
            text.push_str(&aligned);
            text.push_str("  ");
        }
        text.push_str(&graph);
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    let queries: u64 = summaries.iter().map(|it| it.whole.queries).sum();
    text + &counted(queries, "query", "queries") + " of " + &counted(summaries.len() as u64, "type", "types")
}

fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn cells(summary: &Summary) -> [String; 7] {
    let Figures { queries, hits, p50, p95, p99, longest } = summary.whole;
    let cached = hits * 100 / queries.max(1);
    let [p50, p95, p99, longest] = [p50, p95, p99, longest].map(milliseconds);
    [summary.query_type.clone(), queries.to_string(), p50, p95, p99, longest, format!("{cached} %")]
}

/// With as many digits as say something.
fn milliseconds(time: f64) -> String {
    if time < 0.1 {
        format!("{:.0} µs", time * 1e3)
    } else if time < 10.0 {
        format!("{time:.1} ms")
    } else if time < 1000.0 {
        format!("{time:.0} ms")
    } else {
        format!("{:.1} s", time / 1e3)
    }
}

/// A sparkline: the slowest slot is as high as it can be; where nothing was measured, nothing is.
fn graph(summary: &Summary) -> String {
    const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let highest = summary.slots.iter().flatten().map(|it| it.p95).fold(f64::MIN_POSITIVE, f64::max);
    let bar = |slot: &Option<Figures>| {
        slot.map_or(' ', |figures| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 7")]
            let height = (figures.p95 / highest * 7.0).round() as usize;
            HEIGHTS[height.min(7)]
        })
    };
    summary.slots.iter().map(bar).collect::<String>().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(queries: u64, p95: f64) -> Figures {
        Figures { queries, hits: queries / 4, p50: p95 / 2.0, p95, p99: p95 * 2.0, longest: p95 * 1000.0 }
    }

    #[test]
    fn each_type_is_a_line_with_its_times_and_how_they_went() {
        let one = Summary {
            query_type: "search_across".into(),
            whole: figures(1200, 7.0),
            slots: vec![Some(figures(200, 1.0)), None, Some(figures(1000, 8.0)), None],
        };
        let other = Summary { query_type: "q".into(), whole: figures(3, 0.05), slots: vec![None; 4] };
        insta::assert_snapshot!(text(&[one, other], "24h"), @"
        query type     queries     p50     p95     p99  longest  cached  p95 over the last 24h
        search_across     1200  3.5 ms  7.0 ms   14 ms    7.0 s    25 %  ▂ █
        q                    3   25 µs   50 µs  0.1 ms    50 ms     0 %
        1203 queries of 2 types
        ");
        assert_eq!(text(&[], "1h"), "nothing was measured in the last 1h");
    }

    #[test]
    fn a_time_is_refused_that_is_none() {
        assert_eq!(time("7d"), Ok(Duration::from_hours(7 * 24)));
        for text in ["", "7", "0s", "-1h", "9999999y"] {
            assert!(time(text).is_err(), "{text}");
        }
    }
}
