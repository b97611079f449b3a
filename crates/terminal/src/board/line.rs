//! A job in one line, however narrow the terminal is.

use std::time::Duration;

use console::{measure_text_width, truncate_str};

use super::rate::Rate;
use crate::activity::Count;

/// Cells of a bar.
const BAR: std::ops::RangeInclusive<usize> = 6..=24;
/// Drawn one after the other while something goes on.
const SPINNER: [&str; 8] = ["⠋", "⠙", "⠸", "⠴", "⠦", "⠇", "⠏", "⠛"];

/// How a job stands.
#[derive(Debug)]
pub(super) struct Standing {
    label: String,
    phase: String,
    count: Option<Count>,
    rate: Rate,
    /// Both since the board was made.
    began: Duration,
    phase_began: Duration,
}

impl Standing {
    pub(super) fn new(label: &str, now: Duration) -> Self {
        let (phase, count) = (String::new(), None);
        Self { label: label.to_owned(), phase, count, rate: Rate::default(), began: now, phase_began: now }
    }

    pub(super) fn began(&self) -> Duration {
        self.began
    }

    pub(super) fn phase(&mut self, name: &str, count: Option<Count>, now: Duration) {
        (self.phase, self.count, self.rate, self.phase_began) = (name.to_owned(), count, Rate::default(), now);
        self.sample(now);
    }

    pub(super) fn advanced(&mut self, by: u64, now: Duration) {
        if let Some(count) = &mut self.count {
            count.done += by;
            // An estimate that was too low.
            count.total = count.total.max(count.done);
        }
        self.sample(now);
    }

    pub(super) fn left(&mut self, left: u64, now: Duration) {
        if let Some(count) = &mut self.count {
            // What has come in since has to be done too.
            count.total = count.total.max(count.done + left);
            count.done = count.total - left;
        }
        self.sample(now);
    }

    fn sample(&mut self, now: Duration) {
        if let Some(count) = self.count {
            self.rate.sample(now, count.done);
        }
    }

    /// For a log: no bar, nothing left out.
    pub(super) fn plain(&self, now: Duration) -> String {
        let mut line = format!("{}: {}", self.label, self.phase);
        if self.phase.is_empty() {
            line = format!("{} …", self.label);
        }
        for part in self.numbers(now) {
            line += ", ";
            line += &part;
        }
        line
    }

    /// For a terminal of so many columns, none of which it exceeds.
    pub(super) fn drawn(&self, now: Duration, columns: usize, colour: bool) -> String {
        let paint = |text: &str, code: &str| {
            if colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
        };
        // The last column stays free: some terminals wrap when it is written to.
        let columns = columns.saturating_sub(1);
        let turn = usize::try_from(now.as_millis() / 100).unwrap_or(0) % SPINNER.len();
        let label = abbreviated(&self.label, (columns / 3).saturating_sub(4).max(15));
        let start = format!("{} {label}", paint(SPINNER[turn], "36"));
        let mut parts = vec![self.phase.clone()];
        let width = |parts: &[String]| {
            let parts = parts.iter().filter(|part| !part.is_empty());
            measure_text_width(&start) + parts.map(|part| 2 + measure_text_width(part)).sum::<usize>()
        };
        let mut others = self.numbers(now);
        let least_bar = if self.share().is_some() { 2 + BAR.start() } else { 0 };
        let fits = |others: &[String]| width(&[&parts, others].concat()) + least_bar <= columns;
        // The time that is left tells more than the rate, and both more than the unit.
        if !fits(&others) && others.len() == 3 {
            others.remove(1);
        }
        if !fits(&others) && least_bar > 0 {
            let unit = others.first().and_then(|count| count.find(' '));
            others.first_mut().into_iter().zip(unit).for_each(|(count, unit)| count.truncate(unit));
        }
        if !fits(&others) {
            others.truncate(1);
        }
        parts.append(&mut others);
        let room = columns.saturating_sub(width(&parts) + 2);
        if let Some(share) = self.share().filter(|_| room >= *BAR.start()) {
            parts.insert(1, bar(share, room.min(*BAR.end()), paint));
        }
        let line = parts.into_iter().filter(|part| !part.is_empty()).fold(start, |line, part| line + "  " + &part);
        truncate_str(&line, columns, "…").into_owned()
    }

    /// What is done, the rate, the time that is left; or, where nothing is counted, for how long it has been going on.
    #[expect(clippy::cast_precision_loss, reason = "for the eye")]
    fn numbers(&self, now: Duration) -> Vec<String> {
        let Some(count) = self.count.filter(|count| count.total > 0) else {
            let lasts = now.saturating_sub(self.phase_began);
            return if lasts.as_secs() == 0 { Vec::new() } else { vec![time(lasts.as_secs_f64())] };
        };
        let about = if count.is_about { "~" } else { "" };
        let mut numbers = vec![format!("{}/{about}{} {}", short(count.done), short(count.total), count.unit)];
        if let Some(rate) = self.rate.a_second(now, count.done) {
            if count.unit.is_fine() {
                numbers.push(format!("{}/s", short_rate(rate)));
            }
            if count.total > count.done {
                numbers.push(format!("{} left", time((count.total - count.done) as f64 / rate)));
            }
        }
        numbers
    }

    #[expect(clippy::cast_precision_loss, reason = "for the eye")]
    fn share(&self) -> Option<f64> {
        let count = self.count.filter(|count| count.total > 0)?;
        Some((count.done as f64 / count.total as f64).min(1.0))
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "for the eye")]
fn bar(share: f64, cells: usize, paint: impl Fn(&str, &str) -> String) -> String {
    let full = (share * cells as f64) as usize;
    paint(&"━".repeat(full), "32") + &paint(&"─".repeat(cells - full), "2")
}

/// The end of a text says more than its beginning: `singularity_dev code_files` becomes `…dev code_files`.
fn abbreviated(text: &str, most: usize) -> String {
    let length = text.chars().count();
    if length <= most {
        return text.to_owned();
    }
    format!("…{}", text.chars().skip(length + 1 - most).collect::<String>())
}

/// `950`, `12.3k`, `1.20M`.
#[expect(clippy::cast_precision_loss, reason = "for the eye")]
fn short(number: u64) -> String {
    match number {
        0..10_000 => number.to_string(),
        10_000..1_000_000 => format!("{:.1}k", number as f64 / 1e3),
        _ => format!("{:.2}M", number as f64 / 1e6),
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "for the eye")]
fn short_rate(rate: f64) -> String {
    if rate < 10.0 { format!("{rate:.1}") } else { short(rate as u64) }
}

/// `8 s`, `3 min`, `2 h`.
fn time(seconds: f64) -> String {
    match seconds {
        ..120.0 => format!("{seconds:.0} s"),
        ..7200.0 => format!("{:.0} min", seconds / 60.0),
        _ => format!("{:.0} h", seconds / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activity::Unit;

    /// Half a table copied, 1,200 rows a second.
    fn copying() -> (Standing, Duration) {
        let mut standing = Standing::new("singularity_dev code_files", Duration::ZERO);
        standing.phase("copying", Some(Count::about(Unit::Rows, 0, 20_000)), Duration::ZERO);
        for _ in 0..10 {
            standing.advanced(1_200, Duration::ZERO);
        }
        standing.left(8_000, Duration::from_secs(10));
        (standing, Duration::from_secs(10))
    }

    #[test]
    fn a_line_fits_every_terminal_and_gives_up_what_tells_least_first() {
        let (standing, now) = copying();
        let drawn = |columns| standing.drawn(now, columns, false);
        for (line, expected) in [
            (
                drawn(120),
                "⠦ singularity_dev code_files  copying  ━━━━━━━━━━━━━━──────────  12.0k/~20.0k rows  1200/s  7 s left",
            ),
            (drawn(80), "⠦ …larity_dev code_files  copying  ━━━━───  12.0k/~20.0k rows  1200/s  7 s left"),
            (drawn(60), "⠦ …dev code_files  copying  ━━━━───  12.0k/~20.0k  7 s left"),
        ] {
            assert_eq!(line, expected);
        }
        for columns in 1..200 {
            for colour in [false, true] {
                let width = measure_text_width(&standing.drawn(now, columns, colour));
                assert!(width < columns.max(2), "{width} of {columns}");
            }
        }
    }

    #[test]
    fn each_phase_has_its_own_unit_and_time() {
        let (mut standing, now) = copying();
        assert_eq!(standing.plain(now), "singularity_dev code_files: copying, 12.0k/~20.0k rows, 1200/s, 7 s left");
        standing.phase("building indexes", Some(Count::of(Unit::Indexes, 80)), now);
        standing.advanced(51, now);
        assert_eq!(standing.plain(now), "singularity_dev code_files: building indexes, 51/80 indexes");
        standing.phase("waiting for older transactions", None, now);
        let later = now + Duration::from_secs(3);
        assert_eq!(standing.plain(later), "singularity_dev code_files: waiting for older transactions, 3 s");
    }

    #[test]
    fn a_log_that_grows_is_more_to_do_and_an_empty_table_none() {
        let mut standing = Standing::new("t", Duration::ZERO);
        standing.phase("catching up", Some(Count::of(Unit::Entries, 100)), Duration::ZERO);
        standing.left(40, Duration::ZERO);
        assert_eq!(standing.plain(Duration::ZERO), "t: catching up, 60/100 entries");
        standing.left(70, Duration::ZERO);
        assert_eq!(standing.plain(Duration::ZERO), "t: catching up, 60/130 entries");
        standing.phase("comparing", Some(Count::about(Unit::Rows, 0, 0)), Duration::ZERO);
        assert_eq!(standing.plain(Duration::ZERO), "t: comparing");
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!([950, 12_345, 1_204_000].map(short), ["950", "12.3k", "1.20M"]);
        assert_eq!([8.2, 200.0, 9000.0].map(time), ["8 s", "3 min", "2 h"]);
        assert_eq!([1.25, 1250.0].map(short_rate), ["1.2", "1250"]);
    }
}
