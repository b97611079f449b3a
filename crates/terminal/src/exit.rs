//! Exit codes.

/// How a process ends, the same for every command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Done, or nothing to do.
    Done = 0,
    /// Something failed.
    Failed = 1,
    /// The command line or the database URL is wrong.
    Usage = 2,
    /// There is work to do, and this command does not do it (`--dry-run`).
    Pending = 3,
    /// A rule is broken: order, ownership, edited history, an invalid index.
    Violation = 4,
    /// Somebody has interrupted it (Ctrl-C). As shells say it: 128 and the number of SIGINT.
    Interrupted = 130,
}

impl Exit {
    /// The number that the shell sees.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }
}

impl serde::Serialize for Exit {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.code())
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
