//! What was measured, for people and for programs.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use super::imports::Imported;
use super::probes::Probes;
use super::reindex::Reindexed;
use super::size::Size;
use crate::line::{Bound, Line, microseconds, milliseconds, ratio};
use crate::upkeep::{Cost, Upkeep};

/// The outcome of the benchmark.
#[derive(Clone, Debug)]
pub struct Measured {
    pub(super) size: Size,
    pub(super) probes: Probes,
    pub(super) reindexed: Reindexed,
    pub(super) imported: Imported,
    pub(super) writes: Upkeep,
}

impl Measured {
    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        let Self { size, probes, reindexed, imported, writes } = self;
        let mut text = format!(
            "A filter of {} contents, {:.2} bits each: {:.1} ns for one that is not there, {:.1} ns for one that is; a look into \
             the database, {} rows, {:.1} µs\n",
            size.contents,
            probes.bits,
            nanoseconds(probes.absent),
            nanoseconds(probes.present),
            size.rows,
            microseconds(probes.lookup),
        );
        // A String takes whatever is written to it.
        let _ = writeln!(
            text,
            "10,000 files that have not changed: {:.1} ms at once, {:.1} ms by the function, {:.0} ms one by one",
            milliseconds(reindexed.at_once),
            milliseconds(reindexed.by_function),
            milliseconds(reindexed.one_by_one),
        );
        let _ = writeln!(
            text,
            "10,000 contents that nobody has: {:.2} ms by the filter, {:.1} ms by one question; to catch up {:.2} ms",
            milliseconds(imported.by_filter),
            milliseconds(imported.exactly),
            milliseconds(imported.caught_up),
        );
        for (what, Cost { with, without }) in [("row of many", writes.row), ("statement of one row", writes.statement)]
        {
            let (with, without) = (microseconds(with), microseconds(without));
            let _ = writeln!(text, "writing a {what}: {with:.2} µs with the filter, {without:.2} µs without");
        }
        for line in self.lines() {
            let _ = writeln!(text, "  {}", line.verdict());
        }
        text.truncate(text.trim_end().len());
        text
    }

    /// For `--json`.
    #[must_use]
    pub fn document(&self) -> Value {
        let Self { size, probes, reindexed, imported, writes } = self;
        let lines: Vec<Value> = self.lines().iter().map(Line::document).collect();
        let cost = |cost: Cost| json!({ "with": microseconds(cost.with), "without": microseconds(cost.without) });
        json!({
            "version": 1, "command": "bench dedup", "contents": size.contents, "rows": size.rows,
            "probe": {
                "absent_nanoseconds": nanoseconds(probes.absent), "present_nanoseconds": nanoseconds(probes.present),
                "lookup_nanoseconds": nanoseconds(probes.lookup), "bits_a_content": probes.bits,
                "false_positives": probes.taken, "false_negatives": probes.denied,
            },
            "unchanged_milliseconds": {
                "at_once": milliseconds(reindexed.at_once), "by_function": milliseconds(reindexed.by_function),
                "one_by_one": milliseconds(reindexed.one_by_one),
            },
            "unknown_milliseconds": {
                "by_filter": milliseconds(imported.by_filter), "exactly": milliseconds(imported.exactly),
                "caught_up": milliseconds(imported.caught_up),
            },
            "write_microseconds": { "row": cost(writes.row), "statement": cost(writes.statement) },
            "reach": lines,
        })
    }

    fn lines(&self) -> Vec<Line> {
        let Self { size, probes, reindexed, writes, .. } = self;
        let slower = probes.absent.max(probes.present);
        let megabytes = probes.bits * f64::from(size.contents) / 8e6;
        let because =
            format!("the bits of a content lie anywhere in {megabytes:.0} MB, which caches of a processor seldom hold");
        vec![
            Line::new(
                "probing the filter",
                "a look into the database",
                microseconds(slower),
                Bound::Microseconds(0.05),
            )
            .because(because),
            Line::new("unknown contents that it takes for known", "an exact answer", probes.taken, Bound::Share(0.01)),
            Line::new("known contents that it denies", "an exact answer", f64::from(probes.denied), Bound::Times(0.0)),
            Line::new("what it takes of memory for a content", "64 of a key by itself", probes.bits, Bound::Bits(10.0)),
            Line::new(
                "comparing a repository that has not changed",
                "a question a file",
                ratio(reindexed.one_by_one, reindexed.at_once),
                Bound::AtLeast(20.0),
            ),
            writes.row.line("a filter, of a row of many", 1.0),
            writes.statement.line("a filter, of a statement of one row", 30.0),
        ]
    }
}

fn nanoseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e9
}
