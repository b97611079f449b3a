//! What somebody in front of the terminal has seen.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::canvas::{Canvas, unwrapped};
use crate::recording::{Recording, Stall};

/// A run as it was seen.
#[derive(Clone, Debug)]
pub struct Replay {
    /// What stays in the end, with what has scrolled off. What the terminal has wrapped is one line.
    pub lines: Vec<String>,
    /// It has to be shown again by who hides it.
    pub is_cursor_hidden: bool,
    /// Whether the last line was ended.
    pub is_last_line_ended: bool,
    /// The longest time in which nothing changed, less what the machine stood still in it.
    pub longest_silence: Silence,
    /// What was shown for a while, a bar say, and was wider than the terminal.
    pub wrapped: Vec<String>,
}

/// A time in which nothing that can be seen changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Silence {
    /// Since the start.
    pub from: Duration,
    /// Less what the machine stood still in it.
    pub length: Duration,
    /// The line that changed last before it.
    pub after: String,
}

impl Replay {
    /// Plays it.
    #[must_use]
    pub fn of(recording: &Recording) -> Self {
        let mut canvas = Canvas::new(recording.terminal);
        let mut wrapped = BTreeSet::new();
        let mut last = Silence::default();
        let mut longest_silence = Silence::default();
        let mut is_over = |last: &Silence, now| {
            let length = time_between(last.from, now, &recording.stalls);
            if length > longest_silence.length {
                longest_silence = Silence { length, ..last.clone() };
            }
        };
        for chunk in &recording.chunks {
            let changed = canvas.print(&chunk.bytes, |lines| {
                wrapped
                    .extend(unwrapped(lines).into_iter().filter(|(_, is_too_long)| *is_too_long).map(|(text, _)| text));
            });
            if let Some(line) = changed.last() {
                is_over(&last, chunk.at);
                last = Silence { from: chunk.at, length: Duration::ZERO, after: canvas.lines()[*line].text() };
            }
        }
        is_over(&last, recording.length.max(last.from));
        let mut lines: Vec<String> = unwrapped(canvas.lines()).into_iter().map(|(text, _)| text).collect();
        while lines.last().is_some_and(String::is_empty) {
            lines.pop();
        }
        // Half of a line that stays may have been seen before the rest of it.
        let stays = |text: &String| lines.iter().any(|line| line.starts_with(text));
        Self {
            wrapped: wrapped.into_iter().filter(|text| !stays(text)).collect(),
            is_cursor_hidden: canvas.is_cursor_hidden(),
            is_last_line_ended: canvas.cursor().1 == 0,
            longest_silence,
            lines,
        }
    }

    /// Lines with what only belongs on the screen while something goes on: spinners, bars, what was typed.
    #[must_use]
    pub fn remains(&self) -> Vec<&str> {
        let is_passing = |line: &str| line.contains("^C") || line.contains(is_drawn);
        self.lines.iter().map(String::as_str).filter(|line| is_passing(line)).collect()
    }
}

/// Whether it is one of which bars and spinners are made: box drawing, blocks, and the dots of braille.
#[must_use]
pub fn is_drawn(character: char) -> bool {
    matches!(character, '\u{2500}'..='\u{259f}' | '\u{2800}'..='\u{28ff}')
}

fn time_between(from: Duration, until: Duration, stalls: &[Stall]) -> Duration {
    let stood = stalls.iter().map(|stall| stall.until.min(until).saturating_sub(stall.from.max(from)));
    until.saturating_sub(from).saturating_sub(stood.sum())
}

#[cfg(test)]
pub(crate) mod tests {
    use std::num::NonZeroU16;

    use super::*;
    use crate::recording::{Chunk, Terminal};

    /// As if it had been printed at these seconds, in a terminal of 20 columns and 3 rows; it ends with the last.
    pub(crate) fn printed(chunks: &[(u64, &str)]) -> Recording {
        let size = |size| NonZeroU16::new(size).unwrap();
        let chunk = |(at, text): &(u64, &str)| Chunk { at: Duration::from_secs(*at), bytes: text.as_bytes().to_vec() };
        let chunks: Vec<Chunk> = chunks.iter().map(chunk).collect();
        let length = chunks.last().map_or(Duration::ZERO, |chunk| chunk.at);
        let terminal = Terminal { columns: size(20), rows: size(3), colour: true };
        Recording { terminal, chunks, length, code: 0, stalls: Vec::new() }
    }

    #[test]
    fn what_stays_is_told_with_what_scrolled_off() {
        let replay = Replay::of(&printed(&[(0, "one\r\ntwo\r\n⠁ busy"), (1, "\r\u{1b}[2Kthree\r\nfour\r\nfive\r\n")]));
        assert_eq!(replay.lines, ["one", "two", "three", "four", "five"]);
        assert!(replay.is_last_line_ended && !replay.is_cursor_hidden && replay.remains().is_empty());
    }

    #[test]
    fn what_is_left_behind_is_found() {
        let replay = Replay::of(&printed(&[(0, "\u{1b}[?25l⠁ busy\r\n███░ 3/4\r\n^C\r\nhalf")]));
        assert_eq!(replay.remains(), ["⠁ busy", "███░ 3/4", "^C"]);
        assert!(replay.is_cursor_hidden && !replay.is_last_line_ended);
    }

    #[test]
    fn silence_is_where_nothing_changes_that_can_be_seen() {
        let mut recording = printed(&[(0, "one\r\n"), (1, "⠁ busy"), (3, "\r\u{1b}[2K⠁ busy"), (6, "\rx"), (7, "y")]);
        let silence = Replay::of(&recording).longest_silence;
        assert_eq!(
            silence,
            Silence { from: Duration::from_secs(1), length: Duration::from_secs(5), after: "⠁ busy".into() }
        );
        recording.stalls = vec![Stall { from: Duration::from_secs(2), until: Duration::from_secs(5) }];
        assert_eq!(Replay::of(&recording).longest_silence.length, Duration::from_secs(2));
    }

    #[test]
    fn bars_below_each_other_are_not_too_long() {
        let bars = "⠁ one               ⠁ two";
        assert_eq!(Replay::of(&printed(&[(0, bars), (1, "\r\u{1b}[2K\u{1b}[1A\u{1b}[2K")])).wrapped, [""; 0]);
    }

    #[test]
    fn only_what_does_not_stay_must_not_wrap() {
        let bar = "⠁ a bar of more than twenty columns";
        let line = "a line of more than twenty columns that stays\r\n";
        let replay =
            Replay::of(&printed(&[(0, bar), (1, "\r\u{1b}[2K\u{1b}[1A\u{1b}[2K"), (2, &line[..25]), (3, &line[25..])]));
        assert_eq!(replay.lines, [line.trim_end()]);
        assert_eq!(replay.wrapped, [bar]);
    }
}
