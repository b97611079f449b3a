//! Jobs that move rows: how far they are, and where they were looked at before, how fast.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use terminal::elapsed::Elapsed;
use terminal::step::Step;

/// Those on their way, by database and table.
#[derive(Debug, Default)]
pub(super) struct Jobs(BTreeMap<(String, String), Job>);

/// As it was seen last, and when it was seen first in its phase.
#[derive(Clone, Debug)]
struct Job {
    phase: String,
    rows: u64,
    copied: u64,
    first: (Instant, u64),
    last: Instant,
}

/// What a step says of one.
fn read(step: &Step) -> Option<(String, u64, u64)> {
    let facts = step.facts.as_ref().filter(|_| step.object == "layout")?;
    let phase = facts["phase"].as_str()?.to_owned();
    Some((phase, facts["rows"].as_u64()?, facts["rows_copied"].as_u64().unwrap_or_default()))
}

fn key(step: &Step) -> (String, String) {
    (step.database.clone().unwrap_or_default(), step.name.clone())
}

impl Jobs {
    /// Takes what was seen at a moment; those that are not seen any more are over.
    pub(super) fn look_at<'a>(&mut self, steps: impl Iterator<Item = &'a Step>, at: Instant) {
        let mut now = BTreeMap::new();
        for (key, (phase, rows, copied)) in steps.filter_map(|step| Some((key(step), read(step)?))) {
            let before = self.0.get(&key).filter(|before| before.phase == phase && before.copied <= copied);
            let first = before.map_or((at, copied), |before| before.first);
            now.insert(key, Job { phase, rows, copied, first, last: at });
        }
        self.0 = now;
    }

    /// One line about the job of a table; none where there is none.
    pub(super) fn line(&self, step: &Step) -> Option<String> {
        self.0.get(&key(step)).filter(|_| step.object == "layout").map(Job::line)
    }
}

impl Job {
    /// `backfilling: 450000 of about 1200000 rows copied, 12000/s, 63 s left`
    fn line(&self) -> String {
        let Self { phase, rows, copied, .. } = self;
        if phase != "backfilling" {
            return phase.replace('_', " ");
        }
        let pace = self.pace().map(|(a_second, left)| format!(", {a_second}/s, {} left", Elapsed(left)));
        format!("{phase}: {copied} of about {rows} rows copied{}", pace.unwrap_or_default())
    }

    /// Rows a second, and the time that the rest takes.
    fn pace(&self) -> Option<(u64, Duration)> {
        let (since, before) = self.first;
        let milliseconds = u64::try_from(self.last.duration_since(since).as_millis()).ok().filter(|it| *it > 0)?;
        let copied = self.copied.checked_sub(before).filter(|it| *it > 0)?;
        let a_second = (copied * 1000 / milliseconds).max(1);
        Some((a_second, Duration::from_secs(self.rows.saturating_sub(self.copied) / a_second)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use terminal::step::Status;

    use super::*;

    fn step(phase: Option<&str>, copied: u64) -> Step {
        let facts = json!({ "phase": phase, "rows": 1_000_000, "rows_copied": copied });
        Step::new("d", "sqlx", "layout", "t", Status::Pending).facts(facts)
    }

    #[test]
    fn a_pace_takes_two_looks_at_the_same_phase() {
        let (mut jobs, at) = (Jobs::default(), Instant::now());
        let mut look = |step: &Step, seconds| {
            jobs.look_at([step].into_iter(), at + Duration::from_secs(seconds));
            jobs.line(step)
        };
        assert_eq!(look(&step(None, 0), 0), None);
        assert_eq!(
            look(&step(Some("backfilling"), 100_000), 1).as_deref(),
            Some("backfilling: 100000 of about 1000000 rows copied")
        );
        assert_eq!(
            look(&step(Some("backfilling"), 300_000), 5).as_deref(),
            Some("backfilling: 300000 of about 1000000 rows copied, 50000/s, 14.0 s left")
        );
        assert_eq!(look(&step(Some("catching_up"), 300_000), 6).as_deref(), Some("catching up"));
    }
}
