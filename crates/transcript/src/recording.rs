//! A program in a pseudo-terminal, and all that it printed there.

use std::io::{self, Read as _, Write as _};
use std::num::NonZeroU16;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use pty_process::blocking::Pty;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// What a program is run in.
#[derive(Clone, Copy, Debug)]
pub struct Terminal {
    /// Its width in characters.
    pub columns: NonZeroU16,
    /// Its height in lines.
    pub rows: NonZeroU16,
    /// Without, the program is asked for none by `NO_COLOR`.
    pub colour: bool,
}

/// A finished run.
#[derive(Clone, Debug)]
pub struct Recording {
    /// What it was run in.
    pub terminal: Terminal,
    /// What was printed, in order.
    pub chunks: Vec<Chunk>,
    /// When it was over.
    pub length: Duration,
    /// As a shell says it: 128 and the signal's number for who was ended by one.
    pub code: i32,
    /// When this process had no turn itself: what others did not print meanwhile says nothing about them.
    pub stalls: Vec<Stall>,
}

/// What was printed at once.
#[derive(Clone, Debug)]
pub struct Chunk {
    /// Since the start.
    pub at: Duration,
    /// As they came.
    pub bytes: Vec<u8>,
}

/// A time in which the machine gave no turn to who only looks at a clock.
#[derive(Clone, Copy, Debug)]
pub struct Stall {
    /// Since the start.
    pub from: Duration,
    /// Since the start.
    pub until: Duration,
}

/// Why a run could not be recorded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The system gives none.
    #[error("cannot open a terminal")]
    Terminal(#[source] pty_process::Error),
    /// It is not there, say.
    #[error("cannot start `{program}`")]
    Start {
        /// As it was named.
        program: String,
        /// What the system said.
        #[source]
        source: pty_process::Error,
    },
    /// Reading, writing or waiting.
    #[error("cannot follow what happens in the terminal")]
    Follow(#[from] io::Error),
    /// It was ended.
    #[error("it did not end within {} s; its terminal showed:\n{shown}", .limit.as_secs())]
    TooLong {
        /// How long it was let run.
        limit: Duration,
        /// The last that could be seen.
        shown: String,
    },
}

/// How often the terminal is looked at, at least.
const TICK: Duration = Duration::from_millis(20);

/// So much later than a tick, the machine is busy with something else.
const STALLED: Duration = Duration::from_millis(200);

/// How long the last words of a program may take to come out of the terminal.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// Runs a command in a terminal of its own, until it ends. `answer` is asked again and again, with what is on the screen,
/// for what to type (`b"\x03"` is Ctrl-C).
///
/// # Errors
/// When there is no terminal or no such program, or when it takes longer than `limit`; it is killed then.
pub fn record(
    mut command: Command,
    terminal: Terminal,
    limit: Duration,
    mut answer: impl FnMut(&str) -> Option<&'static [u8]>,
) -> Result<Recording, RecordError> {
    command.env("TERM", "xterm-256color").env_remove("COLUMNS").env_remove("LINES").env_remove("NO_COLOR");
    if !terminal.colour {
        command.env("NO_COLOR", "1");
    }
    let program = command.get_program().to_string_lossy().into_owned();
    let (mut pty, inside) = pty_process::blocking::open().map_err(RecordError::Terminal)?;
    let size = pty_process::Size::new(terminal.rows.get(), terminal.columns.get());
    pty.resize(size).map_err(RecordError::Terminal)?;
    let started = Instant::now();
    let spawned = pty_process::blocking::Command::from(command).spawn(inside);
    let mut child = spawned.map_err(|source| RecordError::Start { program, source })?;
    let mut run = Run {
        recording: Recording { terminal, chunks: Vec::new(), length: Duration::ZERO, code: 0, stalls: Vec::new() },
        screen: vt100::Parser::new(terminal.rows, terminal.columns, 0),
        started,
        limit,
    };
    match run.follow(&mut pty, &mut child, &mut answer) {
        Ok(status) => {
            run.recording.code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default());
            Ok(run.recording)
        }
        Err(error) => {
            child.kill()?;
            child.wait()?;
            Err(error)
        }
    }
}

/// One that is under way.
struct Run {
    recording: Recording,
    screen: vt100::Parser,
    started: Instant,
    limit: Duration,
}

impl Run {
    fn follow(
        &mut self,
        pty: &mut Pty,
        child: &mut Child,
        answer: &mut impl FnMut(&str) -> Option<&'static [u8]>,
    ) -> Result<ExitStatus, RecordError> {
        let mut last_tick = Duration::ZERO;
        let mut ended = None;
        loop {
            let next = next(pty)?;
            let now = self.started.elapsed();
            if now.saturating_sub(last_tick) > TICK + STALLED {
                self.recording.stalls.push(Stall { from: last_tick, until: now });
            }
            last_tick = now;
            match (next, ended) {
                (Next::Bytes(bytes), _) => {
                    self.screen.process(&bytes);
                    self.recording.chunks.push(Chunk { at: now, bytes });
                }
                (Next::Closed, Some((status, _))) => return Ok(status),
                // Whom it has started may keep the terminal open.
                (Next::Nothing, Some((status, at))) if now.saturating_sub(at) > LAST_WORDS => return Ok(status),
                (Next::Closed, None) => std::thread::sleep(TICK),
                (Next::Nothing, _) => {}
            }
            if ended.is_none() {
                ended = child.try_wait()?.map(|status| (status, now));
                self.recording.length = now;
                if now > self.limit {
                    let shown = self.screen.screen().contents();
                    return Err(RecordError::TooLong { limit: self.limit, shown });
                }
                if let Some(bytes) = answer(&self.screen.screen().contents()) {
                    pty.write_all(bytes)?;
                }
            }
        }
    }
}

enum Next {
    Bytes(Vec<u8>),
    /// Within a tick.
    Nothing,
    /// Nobody has the terminal open any more.
    Closed,
}

fn next(pty: &mut Pty) -> io::Result<Next> {
    let tick = Timespec { tv_sec: 0, tv_nsec: i64::from(TICK.subsec_nanos()) };
    let ready = loop {
        match poll(&mut [PollFd::new(pty, PollFlags::IN)], Some(&tick)) {
            Err(rustix::io::Errno::INTR) => {}
            ready => break ready?,
        }
    };
    if ready == 0 {
        return Ok(Next::Nothing);
    }
    let mut buffer = [0; 4096];
    match pty.read(&mut buffer) {
        Ok(0) => Ok(Next::Closed),
        Ok(length) => Ok(Next::Bytes(buffer[..length].to_vec())),
        // Linux says so of a terminal that was closed on the other side.
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) => Ok(Next::Closed),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn run(script: &str, colour: bool, answer: impl FnMut(&str) -> Option<&'static [u8]>) -> Recording {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        let size = |size| NonZeroU16::new(size).unwrap();
        let terminal = Terminal { columns: size(40), rows: size(5), colour };
        record(command, terminal, Duration::from_mins(1), answer).unwrap()
    }

    fn text(recording: &Recording) -> String {
        recording.chunks.iter().map(|chunk| String::from_utf8_lossy(&chunk.bytes)).collect()
    }

    #[test]
    fn a_program_is_in_a_terminal_of_that_size() {
        let recording = run("test -t 0 && test -t 1 && test -t 2 && stty size; exit 3", true, |_| None);
        assert_eq!((text(&recording).as_str(), recording.code), ("5 40\r\n", 3));
    }

    #[test]
    fn colour_is_forbidden_by_the_usual_variable() {
        let script = "printf \"${NO_COLOR-unset}\"";
        assert_eq!(text(&run(script, true, |_| None)), "unset");
        assert_eq!(text(&run(script, false, |_| None)), "1");
    }

    #[test]
    fn what_is_on_the_screen_is_answered() {
        let mut is_answered = false;
        let recording = run("trap 'echo interrupted; exit 7' INT; echo ready; sleep 60 & wait", true, |screen| {
            let now = !is_answered && screen.contains("ready");
            is_answered |= now;
            now.then_some(b"\x03".as_slice())
        });
        assert!(text(&recording).contains("interrupted"), "{}", text(&recording));
        assert_eq!(recording.code, 7);
    }

    #[test]
    fn who_is_ended_by_a_signal_has_its_number() {
        assert_eq!(run("kill -TERM $$", true, |_| None).code, 143);
    }

    #[test]
    fn who_keeps_the_terminal_open_is_not_waited_for() {
        let recording = run("echo done; sleep 60 >/dev/null &", true, |_| None);
        assert!(recording.length < Duration::from_secs(30));
        assert_eq!(text(&recording), "done\r\n");
    }
}
