//! What `bench relayout` has measured, for people and as JSON.

use std::time::Duration;

use serde_json::{Map, Value, json};
use terminal::elapsed::as_milliseconds;

use super::measured::{Measured, Table};
use crate::load::{LONG, Noticed};

/// Part of the offline way's speed that is to be reached, beside the same writers.
const THROUGHPUT_GOAL: f64 = 0.8;
const BLOCKED_GOAL: Duration = Duration::from_millis(200);
/// Microseconds a row.
const CHANGE_LOG_GOAL: f64 = 10.0;

impl Table {
    /// The offline way's time as a part of ours.
    fn ratios(&self) -> [(&'static str, f64); 3] {
        let ratio = |theirs: Duration, ours: Duration| theirs.as_secs_f64() / ours.as_secs_f64();
        [
            ("until_swap_beside_writers", ratio(self.offline_beside, self.until_swap)),
            ("until_swap", ratio(self.offline, self.until_swap)),
            ("in_all", ratio(self.offline, self.in_all)),
        ]
    }

    fn reaches_throughput(&self) -> bool {
        self.ratios()[0].1 >= THROUGHPUT_GOAL
    }

    fn reaches_blocked(&self) -> bool {
        self.during.blocked <= BLOCKED_GOAL
    }

    fn periods(&self) -> [(&'static str, &Noticed); 3] {
        [("before", &self.before), ("offline", &self.control), ("during", &self.during)]
    }

    fn lines(&self) -> Vec<String> {
        let [(_, beside), (_, idle), (_, in_all)] = self.ratios();
        let seconds = |time: &Duration| format!("{:.1} s", time.as_secs_f64());
        let phases = self.phases.iter().map(|(phase, time)| format!("{phase} {}", seconds(time)));
        let mut lines = vec![
            format!(
                "{}: {} rows; offline {}, offline beside writers {}; live {} until the swap, {} with the comparison of all rows",
                self.name,
                self.rows,
                seconds(&self.offline),
                seconds(&self.offline_beside),
                seconds(&self.until_swap),
                seconds(&self.in_all),
            ),
            format!(
                "  throughput until the swap: {beside:.2} of offline beside the same writers ({}), {idle:.2} of offline on an idle machine, {in_all:.2} with the comparison",
                verdict(&format!("at least {THROUGHPUT_GOAL}"), self.reaches_throughput())
            ),
            format!(
                "  writers blocked by locks: {:.0} ms ({})",
                as_milliseconds(self.during.blocked),
                verdict("at most 200", self.reaches_blocked())
            ),
            format!("  phases: {}", phases.collect::<Vec<_>>().join(", ")),
        ];
        lines.extend(self.periods().map(|(when, noticed)| {
            format!(
                "  writers {when}: {} transactions in {}, median {:.1} ms, p99 {:.0} ms, longest {:.0} ms; in ones that waited for a lock {:.0} ms, in ones of more than {} ms {:.0} ms",
                noticed.transactions,
                seconds(&noticed.span),
                as_milliseconds(noticed.median),
                as_milliseconds(noticed.p99),
                as_milliseconds(noticed.longest),
                as_milliseconds(noticed.blocked),
                LONG.as_millis(),
                as_milliseconds(noticed.slow),
            )
        }));
        lines
    }

    fn document(&self) -> Value {
        let noticed = |noticed: &Noticed| {
            json!({
                "transactions": noticed.transactions, "span_milliseconds": as_milliseconds(noticed.span),
                "median_milliseconds": as_milliseconds(noticed.median), "p99_milliseconds": as_milliseconds(noticed.p99),
                "longest_milliseconds": as_milliseconds(noticed.longest),
                "blocked_milliseconds": as_milliseconds(noticed.blocked), "slow_milliseconds": as_milliseconds(noticed.slow),
            })
        };
        let phases =
            self.phases.iter().map(|(phase, time)| json!({ "phase": phase, "milliseconds": as_milliseconds(*time) }));
        json!({
            "table": self.name, "rows": self.rows, "offline_milliseconds": as_milliseconds(self.offline),
            "offline_beside_writers_milliseconds": as_milliseconds(self.offline_beside),
            "until_swap_milliseconds": as_milliseconds(self.until_swap),
            "in_all_milliseconds": as_milliseconds(self.in_all),
            "phases": phases.collect::<Vec<_>>(),
            "ratios": self.ratios().into_iter().map(|(name, ratio)| (name.to_owned(), json!(ratio))).collect::<Map<_, _>>(),
            "writers": self.periods().map(|(when, it)| (when.to_owned(), noticed(it))).into_iter().collect::<Map<_, _>>(),
            "goals": { "throughput": self.reaches_throughput(), "blocked": self.reaches_blocked() },
        })
    }
}

fn verdict(goal: &str, reached: bool) -> String {
    format!("goal: {goal}, {}", if reached { "reached" } else { "missed" })
}

impl Measured {
    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        let mut lines: Vec<String> = self.tables.iter().flat_map(Table::lines).collect();
        lines.extend(self.capture.iter().map(|it| {
            format!(
                "change log: {:.1} µs added a row, {} rows a statement ({})",
                it.added,
                it.rows_per_statement,
                verdict("at most 10", it.added <= CHANGE_LOG_GOAL)
            )
        }));
        lines.join("\n")
    }

    /// For `--json`.
    #[must_use]
    pub fn document(&self) -> Value {
        let capture = self.capture.iter().map(|it| {
            json!({
                "rows_per_statement": it.rows_per_statement, "microseconds_added_per_row": it.added,
                "goal": it.added <= CHANGE_LOG_GOAL,
            })
        });
        json!({
            "version": 1, "command": "bench relayout", "writers_per_table": self.writers,
            "tables": self.tables.iter().map(Table::document).collect::<Vec<_>>(),
            "change_log": capture.collect::<Vec<_>>(),
        })
    }
}
