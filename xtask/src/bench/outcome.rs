//! What `bench relayout` has measured, for people and as JSON.

use std::time::Duration;

use db_service::step::as_milliseconds;
use serde_json::{Value, json};

use super::load::{LONG, Noticed};
use super::relayout::Measured;
use crate::cli::RelayoutOptions;

impl Measured {
    pub(super) fn text(&self) -> String {
        let mut lines = Vec::new();
        for table in &self.tables {
            let ratio = |time: Duration| table.offline.as_secs_f64() / time.as_secs_f64();
            lines.push(format!(
                "{}: {} rows; offline {:.1} s; under writers {:.1} s until the swap, {:.1} s with the comparison of all rows",
                table.name,
                table.rows,
                table.offline.as_secs_f64(),
                table.until_swap.as_secs_f64(),
                table.in_all.as_secs_f64(),
            ));
            lines.push(format!(
                "  throughput: {:.2} of offline until the swap (goal: 0.8), {:.2} in all",
                ratio(table.until_swap),
                ratio(table.in_all)
            ));
            let phases = table.phases.iter().map(|(phase, time)| format!("{phase} {:.1} s", time.as_secs_f64()));
            lines.push(format!("  phases: {}", phases.collect::<Vec<_>>().join(", ")));
            for (when, noticed) in [("before", &table.before), ("during", &table.during)] {
                lines.push(format!(
                    "  writers {when}: {} transactions, median {:.1} ms, longest {:.0} ms, blocked {:.0} ms (goal: 200) by ones of more than {} ms",
                    noticed.transactions,
                    as_milliseconds(noticed.median),
                    as_milliseconds(noticed.longest),
                    as_milliseconds(noticed.blocked),
                    LONG.as_millis(),
                ));
            }
        }
        for capture in &self.capture {
            lines.push(format!(
                "change log: {:.1} µs added a row, {} rows a statement (goal: 10)",
                capture.added, capture.rows_per_statement
            ));
        }
        lines.join("\n")
    }

    pub(super) fn document(&self, options: &RelayoutOptions) -> Value {
        let noticed = |noticed: &Noticed| {
            json!({
                "transactions": noticed.transactions, "median_milliseconds": as_milliseconds(noticed.median),
                "longest_milliseconds": as_milliseconds(noticed.longest),
                "blocked_milliseconds": as_milliseconds(noticed.blocked),
            })
        };
        let tables: Vec<Value> = self
            .tables
            .iter()
            .map(|table| {
                json!({
                    "table": table.name, "rows": table.rows, "offline_milliseconds": as_milliseconds(table.offline),
                    "until_swap_milliseconds": as_milliseconds(table.until_swap),
                    "in_all_milliseconds": as_milliseconds(table.in_all),
                    "phases": table.phases.iter().map(|(phase, time)| json!({ "phase": phase, "milliseconds": as_milliseconds(*time) })).collect::<Vec<_>>(),
                    "ratio_until_swap": table.offline.as_secs_f64() / table.until_swap.as_secs_f64(),
                    "ratio_in_all": table.offline.as_secs_f64() / table.in_all.as_secs_f64(),
                    "writers_before": noticed(&table.before), "writers_during": noticed(&table.during),
                })
            })
            .collect();
        let capture: Vec<Value> = self
            .capture
            .iter()
            .map(|it| json!({ "rows_per_statement": it.rows_per_statement, "microseconds_added_per_row": it.added }))
            .collect();
        json!({
            "version": 1, "command": "bench relayout", "writers_per_table": options.writers, "tables": tables, "change_log": capture,
        })
    }
}
