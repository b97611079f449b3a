//! How pip failed, in one line of the many that it prints.

use crate::process::ProgramFailure;

/// Why pip did not fetch something.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PipFailure {
    /// It could not talk to the package index.
    #[error("the package index does not answer: {reason}")]
    Unreachable {
        /// What became of the connection.
        reason: String,
    },
    /// It gave a reason of its own.
    #[error("pip says: {reason}")]
    Refused {
        /// The last line that it called an error.
        reason: String,
    },
    /// It gave no reason.
    #[error(transparent)]
    Failed(ProgramFailure),
}

impl PipFailure {
    pub(crate) fn of(failure: ProgramFailure) -> Self {
        let error = failure.tail().lines().rev().find_map(|line| line.trim().strip_prefix("ERROR: "));
        // Then it has no list of versions, and says that there are none.
        let is_nothing_found = error.is_none_or(|error| error.starts_with("No matching distribution"));
        let broken = failure.tail().lines().rev().find_map(broken_connection).filter(|_| is_nothing_found);
        match (broken, error) {
            (Some(reason), _) => Self::Unreachable { reason: reason.to_owned() },
            (None, Some(reason)) => Self::Refused { reason: reason.to_owned() },
            (None, None) => Self::Failed(failure),
        }
    }
}

/// The end of ``… after connection broken by 'NewConnectionError('<… object at 0x7f>: Failed to …: [Errno 111] Connection
/// refused')': /simple/…``.
fn broken_connection(line: &str) -> Option<&str> {
    let (_, error) = line.split_once("connection broken by '")?;
    let error = error.rsplit_once("': ").map_or(error, |(error, _)| error);
    let reason = error.rsplit_once(">: ").map_or(error, |(_, reason)| reason);
    Some(reason.trim_end_matches([')', '\'', '"', ',']))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::process;

    fn failed_with(output: &str) -> String {
        let mut shell = process::command("/bin/sh", Path::new("/"));
        PipFailure::of(process::stdout(shell.args(["-c", "echo \"$0\"; exit 1", output])).unwrap_err()).to_string()
    }

    #[test]
    fn the_cause_is_the_line_that_says_why() {
        let nothing = "ERROR: Could not find a version that satisfies the requirement a==1 (from versions: none)\n\
                       ERROR: No matching distribution found for a==1";
        let retrying = "WARNING: Retrying (Retry(total=0, connect=None)) after connection broken by ";
        let refused = "'NewConnectionError('<pip._vendor.urllib3.connection.HTTPConnection object at 0x7f>: Failed to \
                       establish a new connection: [Errno 111] Connection refused')': /simple/a/";
        let reset =
            "'ProtocolError('Connection aborted.', ConnectionResetError(104, 'Connection reset by peer'))': /simple/a/";
        for (output, cause) in [
            (
                format!("{retrying}{refused}\n{nothing}"),
                "the package index does not answer: Failed to establish a new connection: [Errno 111] Connection refused",
            ),
            (
                format!("{retrying}{reset}\n{nothing}"),
                "the package index does not answer: ProtocolError('Connection aborted.', \
                 ConnectionResetError(104, 'Connection reset by peer",
            ),
            (format!("{retrying}{refused}\nERROR: no space left"), "pip says: no space left"),
            (nothing.to_owned(), "pip says: No matching distribution found for a==1"),
            ("Killed".to_owned(), "`sh` failed with exit status: 1:\n  Killed"),
        ] {
            assert_eq!(failed_with(&output), cause);
        }
    }
}
