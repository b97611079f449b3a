//! Runs other programs and says how they failed.

use std::ffi::OsStr;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use terminal::variables;

use crate::account::Account;

/// How another program failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProgramFailure {
    /// The operating system did not start it.
    #[error("cannot run `{program}`")]
    NotStarted {
        /// Its file name.
        program: String,
        /// Why not.
        source: io::Error,
    },
    /// It ran and said no.
    #[error("`{program}` failed with {status}{}", quoted_tail(.tail))]
    Exited {
        /// Its file name.
        program: String,
        /// What it exited with.
        status: ExitStatus,
        /// The last lines that it printed.
        tail: String,
    },
}

impl ProgramFailure {
    /// Whether the program is not there at all.
    pub(crate) fn is_missing(&self) -> bool {
        matches!(self, Self::NotStarted { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }

    /// What the program printed last; empty when it was not started.
    pub(crate) fn tail(&self) -> &str {
        match self {
            Self::Exited { tail, .. } => tail,
            Self::NotStarted { .. } => "",
        }
    }
}

/// How many lines of a program's output an error carries.
const TAIL_LINES: usize = 12;

/// A command that answers in English, reads nothing, and does not see the caller's `PG*` variables: `PGDATA` or
/// `PGPORT` of another project must not reach this one's server. It starts in `directory`.
pub(crate) fn command(program: impl AsRef<OsStr>, directory: &Path) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).current_dir(directory).env("LC_ALL", "C");
    without_caller_settings(&mut command);
    command
}

/// Takes the caller's `PG*` variables from a command: each of them would lead it to another server, or another way of
/// connecting.
pub(crate) fn without_caller_settings(command: &mut Command) {
    for name in variables::names_starting_with("PG") {
        command.env_remove(name);
    }
}

/// The same, run as the server's account.
pub(crate) fn command_as(account: &Account, program: impl AsRef<OsStr>, directory: &Path) -> Command {
    let mut command = command(program, directory);
    if account.switch {
        // The standard library drops supplementary groups together with the user.
        command.uid(account.uid).gid(account.gid);
    }
    command
}

/// Runs `command` to its end and gives what it wrote to stdout; anything but success is a failure that carries the
/// last lines of both streams.
pub(crate) fn stdout(command: &mut Command) -> Result<String, ProgramFailure> {
    let output = command.output().map_err(|source| ProgramFailure::NotStarted { program: name(command), source })?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(text);
    }
    let both = text + &String::from_utf8_lossy(&output.stderr);
    Err(ProgramFailure::Exited { program: name(command), status: output.status, tail: tail(&both) })
}

/// The last lines of `text` that are not blank.
pub(crate) fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}

fn name(command: &Command) -> String {
    let program = Path::new(command.get_program());
    program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned()
}

/// The tail as it follows a message: on lines of its own, indented.
pub(crate) fn quoted_tail(tail: &str) -> String {
    if tail.is_empty() {
        return String::new();
    }
    format!(":\n  {}", tail.replace('\n', "\n  "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_carries_program_status_and_output() {
        let failure =
            stdout(command("/bin/sh", Path::new("/")).args(["-c", "echo one; echo two >&2; exit 3"])).unwrap_err();
        assert_eq!(failure.to_string(), "`sh` failed with exit status: 3:\n  one\n  two");
        assert!(!failure.is_missing());
    }

    #[test]
    fn a_program_that_is_not_there_is_missing() {
        let failure = stdout(&mut command("/nowhere/at-all", Path::new("/"))).unwrap_err();
        assert_eq!(failure.to_string(), "cannot run `at-all`");
        assert!(failure.is_missing());
    }

    #[test]
    fn a_tail_is_the_last_lines_without_blank_ones() {
        let text = (1..=20).map(|line| format!("line {line}\n")).collect::<Vec<_>>().join("\n");
        let tail = tail(&text);
        assert_eq!(tail.lines().count(), TAIL_LINES);
        assert!(tail.starts_with("line 9\n") && tail.ends_with("line 20"));
    }

    #[test]
    fn commands_answer_in_english() {
        let command = command("initdb", Path::new("/"));
        let language = command.get_envs().find(|(name, _)| *name == "LC_ALL").unwrap().1;
        assert_eq!(language, Some(OsStr::new("C")));
    }
}
