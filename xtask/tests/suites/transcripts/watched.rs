//! A program in a terminal, and what people expect of every one.

use std::num::NonZeroU16;
use std::process::Command;
use std::time::Duration;

use transcript::{Recording, Replay, Terminal, escapes, record};

use crate::server::PASSWORD;

/// Nothing that can be seen changes for longer only where nothing goes on.
const LONGEST_SILENCE: Duration = Duration::from_secs(2);

const LIMIT: Duration = Duration::from_mins(3);

/// A run that was looked at.
pub(super) struct Watched {
    recording: Recording,
    replay: Replay,
}

/// Narrow, usual and wide, each with colour and without.
pub(super) fn terminals() -> impl Iterator<Item = Terminal> + Clone {
    let widths = [60, 80, 120].map(|width| NonZeroU16::new(width).unwrap());
    [true, false]
        .into_iter()
        .flat_map(move |colour| widths.map(|columns| Terminal { columns, rows: NonZeroU16::new(24).unwrap(), colour }))
}

/// Runs it.
#[track_caller]
pub(super) fn watch(command: Command, terminal: Terminal) -> Watched {
    watch_and_answer(command, terminal, |_| None)
}

/// The same, with somebody at the keyboard.
#[track_caller]
pub(super) fn watch_and_answer(
    command: Command,
    terminal: Terminal,
    answer: impl FnMut(&str) -> Option<&'static [u8]>,
) -> Watched {
    let recording = record(command, terminal, LIMIT, answer).unwrap_or_else(|error| panic!("{error}"));
    let replay = Replay::of(&recording);
    Watched { recording, replay }
}

impl Watched {
    /// Holds it to its exit code, and to the rules for all of them.
    #[track_caller]
    pub(super) fn exits(self, code: i32) -> Self {
        let faults = self.faults(code);
        assert!(faults.is_empty(), "\n{}\n{}", faults.join("\n"), self.shown());
        self
    }

    fn faults(&self, code: i32) -> Vec<String> {
        let Replay { lines, longest_silence, wrapped, is_cursor_hidden, is_last_line_ended } = &self.replay;
        let escapes = escapes::beyond_movement(&self.recording);
        let mut faults = Vec::new();
        let mut rule = |is_kept: bool, fault: &dyn Fn() -> String| {
            if !is_kept {
                faults.push(fault());
            }
        };
        rule(self.recording.code == code, &|| format!("it was to exit with {code}"));
        let is_secret = |line: &String| line.contains(PASSWORD) || line.contains("s3cr%40t");
        rule(!lines.iter().any(is_secret), &|| "the password is shown".into());
        rule(longest_silence.length <= LONGEST_SILENCE, &|| format!("nothing moved for long: {longest_silence:?}"));
        rule(wrapped.is_empty(), &|| format!("wider than the terminal: {wrapped:#?}"));
        let remains = self.replay.remains();
        rule(remains.is_empty(), &|| format!("left behind: {remains:#?}"));
        rule(!is_cursor_hidden, &|| "the cursor stays hidden".into());
        rule(*is_last_line_ended, &|| "the shell's prompt comes to stand behind the last line".into());
        let colour = self.recording.terminal.colour;
        let is_right = |sequence: &String| colour && sequence.ends_with(" m");
        rule(escapes.iter().all(is_right), &|| format!("neither movement nor wanted colour: {escapes:?}"));
        faults
    }

    /// Colours are there where they are wanted, and only there.
    #[track_caller]
    pub(super) fn paints_as_asked(self) -> Self {
        let is_painted = !escapes::beyond_movement(&self.recording).is_empty();
        assert_eq!(is_painted, self.recording.terminal.colour, "\n{}", self.shown());
        self
    }

    /// What stays on the terminal.
    pub(super) fn lines(&self) -> &[String] {
        &self.replay.lines
    }

    /// Whether something was shown that went away again: a spinner, a bar.
    pub(super) fn has_moved(&self) -> bool {
        let is_up =
            |sequence: &String| sequence.starts_with("CSI") && (sequence.ends_with('K') || sequence.ends_with('A'));
        escapes::all(&self.recording).iter().any(is_up)
    }

    pub(super) fn shown(&self) -> String {
        let Terminal { columns, colour, .. } = self.recording.terminal;
        let colour = if colour { "with colour" } else { "without colour" };
        format!(
            "at {columns} columns, {colour}, after {:.1} s, {:.1} of them in silence, exit code {}:\n{}",
            self.recording.length.as_secs_f64(),
            self.replay.longest_silence.length.as_secs_f64(),
            self.recording.code,
            self.replay.lines.join("\n")
        )
    }
}
