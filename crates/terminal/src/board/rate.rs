//! How fast something goes now: over the last seconds, not since it began.

use std::collections::VecDeque;
use std::time::Duration;

/// What is older does not count.
const WINDOW: Duration = Duration::from_secs(10);
/// Between two samples.
const GRAIN: Duration = Duration::from_millis(250);
/// Before that nothing is known.
const LEAST: Duration = Duration::from_secs(1);

/// Counts at moments, each the time since one beginning.
#[derive(Debug, Default)]
pub(super) struct Rate {
    samples: VecDeque<(Duration, u64)>,
}

impl Rate {
    /// So much was done at that moment.
    pub(super) fn sample(&mut self, now: Duration, done: u64) {
        if self.samples.back().is_none_or(|(last, _)| now.saturating_sub(*last) >= GRAIN) {
            self.samples.push_back((now, done));
        }
        // The newest of those before the window is where it begins.
        while self.samples.get(1).is_some_and(|(second, _)| now.saturating_sub(*second) >= WINDOW) {
            self.samples.pop_front();
        }
    }

    /// So many a second, up to that moment; none before it can be told.
    #[expect(clippy::cast_precision_loss, reason = "for the eye")]
    pub(super) fn a_second(&self, now: Duration, done: u64) -> Option<f64> {
        let (first, before) = *self.samples.front()?;
        let time = now.saturating_sub(first);
        let rate = done.saturating_sub(before) as f64 / time.as_secs_f64();
        (time >= LEAST && rate > 0.0).then_some(rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    fn rate_after(speeds: &[(u64, u64)]) -> Option<f64> {
        let (mut rate, mut now, mut done) = (Rate::default(), 0, 1000);
        for (seconds, speed) in speeds {
            for _ in 0..seconds * 10 {
                rate.sample(at(now), done);
                now += 100;
                done += speed / 10;
            }
        }
        rate.a_second(at(now), done).map(f64::round)
    }

    #[test]
    fn what_earlier_runs_have_done_is_no_speed() {
        assert_eq!(rate_after(&[(5, 200)]), Some(200.0));
    }

    #[test]
    fn only_the_last_seconds_count() {
        assert_eq!(rate_after(&[(60, 1000), (11, 100)]), Some(100.0));
        assert_eq!(rate_after(&[(60, 1000), (12, 0)]), None, "it stands still");
    }

    #[test]
    fn the_first_second_tells_nothing() {
        assert_eq!(rate_after(&[]), None);
        let mut rate = Rate::default();
        rate.sample(at(0), 0);
        assert_eq!(rate.a_second(at(900), 5_000), None);
    }
}
