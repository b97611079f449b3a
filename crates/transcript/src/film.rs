//! The contents of a terminal over time, at a pace that people like to watch.

use std::time::Duration;

use crate::canvas::{Canvas, Line};
use crate::recording::Recording;

/// No picture is shown for less.
const FRAME: Duration = Duration::from_millis(80);

/// No line is waited for longer: where nothing is added meanwhile, time goes faster.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// How long the end is to be seen before it begins anew.
const LAST: Duration = Duration::from_secs(6);

pub(crate) struct Film {
    /// Of every line that was ever shown: what it was from when on. Blank before.
    pub(crate) lines: Vec<Vec<(Duration, Line)>>,
    /// How many lines have scrolled off, from when on.
    pub(crate) tops: Vec<(Duration, usize)>,
    pub(crate) length: Duration,
}

impl Film {
    pub(crate) fn of(recording: &Recording) -> Self {
        let pace = Pace::of(recording);
        let mut canvas = Canvas::new(recording.terminal);
        let mut film = Self {
            lines: Vec::new(),
            tops: vec![(Duration::ZERO, 0)],
            length: to_frame(pace.at(recording.length)) + LAST,
        };
        for chunk in &recording.chunks {
            let at = to_frame(pace.at(chunk.at));
            for number in canvas.print(&chunk.bytes, |_| ()) {
                film.lines.resize(film.lines.len().max(number + 1), Vec::new());
                put(&mut film.lines[number], at, canvas.lines()[number].clone());
            }
            put(&mut film.tops, at, canvas.top());
        }
        for versions in &mut film.lines {
            if versions.first().is_some_and(|(_, line)| line.spans.is_empty()) {
                versions.remove(0);
            }
        }
        film
    }
}

/// The last of what came at the same time counts.
fn put<T: PartialEq>(versions: &mut Vec<(Duration, T)>, at: Duration, value: T) {
    if versions.last().is_some_and(|(last, _)| *last == at) {
        versions.pop();
    }
    if versions.last().is_none_or(|(_, last)| *last != value) {
        versions.push((at, value));
    }
}

fn to_frame(at: Duration) -> Duration {
    FRAME * u32::try_from(at.as_millis() / FRAME.as_millis()).unwrap_or(u32::MAX)
}

/// When a line was added, as it was and as it is shown.
struct Pace(Vec<(Duration, Duration)>);

impl Pace {
    fn of(recording: &Recording) -> Self {
        let mut canvas = Canvas::new(recording.terminal);
        let mut moments = vec![(Duration::ZERO, Duration::ZERO)];
        let mut lowest = 0;
        for chunk in &recording.chunks {
            canvas.print(&chunk.bytes, |_| ());
            if canvas.cursor().0 > lowest {
                lowest = canvas.cursor().0;
                add(&mut moments, chunk.at);
            }
        }
        add(&mut moments, recording.length);
        Self(moments)
    }

    fn at(&self, time: Duration) -> Duration {
        let next = self.0.partition_point(|(was, _)| *was < time).clamp(1, self.0.len() - 1);
        let ((was_before, is_before), (was_next, is_next)) = (self.0[next - 1], self.0[next]);
        let (gone, whole) = (time.min(was_next).saturating_sub(was_before), was_next.saturating_sub(was_before));
        let part = if whole.is_zero() { 0.0 } else { gone.as_secs_f64() / whole.as_secs_f64() };
        is_before + is_next.saturating_sub(is_before).mul_f64(part)
    }
}

fn add(moments: &mut Vec<(Duration, Duration)>, now: Duration) {
    if let Some((was, is)) = moments.last().copied().filter(|(was, _)| *was <= now) {
        moments.push((now, is + now.saturating_sub(was).min(LONGEST_WAIT)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::tests::printed;

    fn shown(versions: &[(Duration, Line)]) -> Vec<(u128, String)> {
        versions.iter().map(|(at, line)| (at.as_millis(), line.text())).collect()
    }

    #[test]
    fn waits_are_shortened_and_what_moves_in_them_goes_faster() {
        let film = Film::of(&printed(&[(0, "one\r\n⠁"), (10, "\r⠂"), (20, "\rtwo\r\n"), (21, "three\r\n")]));
        assert_eq!(shown(&film.lines[0]), [(0, "one".into())]);
        assert_eq!(shown(&film.lines[1]), [(0, "⠁".into()), (960, "⠂".into()), (2000, "two".into())]);
        assert_eq!(film.length, Duration::from_millis(2960) + LAST);
    }

    #[test]
    fn of_what_is_shown_within_a_frame_the_last_stays() {
        let film = Film::of(&printed(&[
            (0, "⠁"),
            (0, "\r\u{1b}[2K"),
            (0, "one\r\n"),
            (1, "one\r\n"),
            (1, "\u{1b}[1A\u{1b}[2K"),
        ]));
        assert_eq!(shown(&film.lines[0]), [(0, "one".into())]);
        assert_eq!(shown(&film.lines[1]), []);
    }

    #[test]
    fn what_scrolls_off_is_followed() {
        let film = Film::of(&printed(&[(0, "1\r\n2\r\n"), (1, "3\r\n4\r\n")]));
        let tops: Vec<_> = film.tops.iter().map(|(at, top)| (at.as_millis(), *top)).collect();
        assert_eq!(tops, [(0, 0), (960, 2)]);
    }
}
