//! Telling what is going on, not more often than anybody reads.

use std::cell::Cell;
use std::fmt;
use std::time::{Duration, Instant};

use crate::layout::{Bytes, Estimate};

const INTERVAL: Duration = Duration::from_secs(1);

/// Passes on what it is told, at most once a second; the first second says nothing.
pub struct Progress<'a> {
    tell: &'a dyn Fn(&str),
    last: Cell<Instant>,
}

impl<'a> Progress<'a> {
    /// `tell` shows a line.
    pub fn new(tell: &'a dyn Fn(&str)) -> Self {
        Self { tell, last: Cell::new(Instant::now()) }
    }

    pub(crate) fn say(&self, text: impl FnOnce() -> String) {
        if self.last.get().elapsed() >= INTERVAL {
            self.last.set(Instant::now());
            (self.tell)(&text());
        }
    }
}

/// How fast rows are copied, and how long the rest takes.
#[derive(Debug)]
pub(crate) struct Rate {
    started: Instant,
    before: i64,
    rows: Cell<i64>,
    estimate: Estimate,
}

impl Rate {
    /// `before` rows were copied by earlier runs.
    pub(crate) fn new(before: i64, estimate: Estimate) -> Self {
        Self { started: Instant::now(), before, rows: Cell::new(before), estimate }
    }

    pub(crate) fn count(&self, rows: i64) {
        self.rows.set(self.rows.get() + rows);
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "for the eye"
    )]
    fn describe(&self, elapsed: Duration) -> String {
        let rows = self.rows.get().max(0) as f64;
        let all = (self.estimate.rows as f64).max(rows);
        let rate = (rows - self.before as f64) / elapsed.as_secs_f64().max(0.001);
        let share = if all > 0.0 { rows / all } else { 1.0 };
        let left = if rate > 0.0 { (all - rows) / rate } else { 0.0 };
        format!(
            "{rows} of about {all} rows, {} of {}, {rate:.0} rows/s, {left:.0} s left",
            Bytes((self.estimate.table_bytes as f64 * share) as u64),
            Bytes(self.estimate.table_bytes),
        )
    }
}

/// How it stands: rows, bytes, rate, time left.
impl fmt::Display for Rate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.describe(self.started.elapsed()))
    }
}

impl fmt::Debug for Progress<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Progress").field("last", &self.last).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_tells_what_is_left() {
        let estimate = Estimate { rows: 1000, table_bytes: 1_000_000, ..Estimate::default() };
        let rate = Rate::new(100, estimate);
        rate.count(400);
        assert_eq!(
            rate.describe(Duration::from_secs(4)),
            "500 of about 1000 rows, 500 kB of 1.0 MB, 100 rows/s, 5 s left"
        );
    }

    #[test]
    fn what_is_over_within_a_second_is_not_told() {
        let told = Cell::new(0);
        let tell = |_: &str| told.set(told.get() + 1);
        let progress = Progress::new(&tell);
        progress.say(|| unreachable!("too early"));
        progress.last.set(Instant::now().checked_sub(INTERVAL).unwrap());
        progress.say(|| "now".to_owned());
        progress.say(|| unreachable!("just told"));
        assert_eq!(told.get(), 1);
    }
}
