//! A set-up with nothing to do: one command, against those by hand, one after the other.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use terminal::elapsed::as_milliseconds;

use crate::error::Error;
use crate::percentile::median;

/// What was measured.
#[derive(Clone, Debug)]
pub struct Measured {
    runs: u32,
    against: &'static str,
    ours: Duration,
    by_hand: Duration,
}

/// Runs both in turn, so that whatever else the machine does falls on both; the medians count.
///
/// # Errors
/// [`Error::Failed`] when a command does not succeed.
pub fn measure(
    runs: u32,
    against: &'static str,
    ours: impl Fn() -> Vec<Command>,
    by_hand: impl Fn() -> Vec<Command>,
) -> Result<Measured, Error> {
    let (mut our_times, mut hand_times) = (Vec::new(), Vec::new());
    for _ in 0..runs.max(1) {
        our_times.push(time(ours())?);
        hand_times.push(time(by_hand())?);
    }
    Ok(Measured { runs, against, ours: median(&mut our_times), by_hand: median(&mut hand_times) })
}

impl Measured {
    fn ratio(&self) -> f64 {
        self.by_hand.as_secs_f64() / self.ours.as_secs_f64()
    }

    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        let Self { runs, against, ours, by_hand } = self;
        format!(
            "db-setup, 3 databases: {:.1} ms\n{against}, 2 databases: {:.1} ms\nratio: {:.1} (median of {runs} runs each)",
            as_milliseconds(*ours),
            as_milliseconds(*by_hand),
            self.ratio(),
        )
    }

    /// For `--json`.
    #[must_use]
    pub fn document(&self) -> Value {
        json!({
            "version": 1, "command": "bench noop", "runs": self.runs, "against": self.against,
            "db_setup_milliseconds": as_milliseconds(self.ours), "by_hand_milliseconds": as_milliseconds(self.by_hand),
            "ratio": self.ratio(),
        })
    }
}

/// One after the other, as a person would type them.
fn time(commands: Vec<Command>) -> Result<Duration, Error> {
    let started = Instant::now();
    for mut command in commands {
        let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        if !status.is_ok_and(|status| status.success()) {
            return Err(Error::Failed("one of the commands failed"));
        }
    }
    Ok(started.elapsed())
}
