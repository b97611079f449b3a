//! A PostgreSQL of this machine that was not used, and why.

use std::fmt;
use std::path::PathBuf;

use crate::version::MINIMUM_MAJOR;

/// A PostgreSQL that was not used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Where its programs are.
    pub bin: PathBuf,
    /// Its version, where it told us.
    pub version: Option<String>,
    /// Why it was not used.
    pub(crate) reason: Reason,
}

/// Why a PostgreSQL was not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// Its version is below the minimum.
    TooOld,
    /// It does not offer pgvector.
    WithoutVector,
    /// The server's account may not run it.
    OutOfReach { account: String },
    /// It does not tell its version.
    DoesNotRun,
    /// Its shared files or libraries are not there.
    Incomplete,
    /// The cluster is of another major version.
    OtherMajor { cluster: u16 },
}

impl fmt::Display for Rejection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = self.version.as_deref().unwrap_or("unknown version");
        write!(formatter, "`{}` ({version}): {}", self.bin.display(), self.reason)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooOld => write!(formatter, "PostgreSQL {MINIMUM_MAJOR} or later is needed"),
            Self::WithoutVector => formatter.write_str("it does not offer pgvector"),
            Self::OutOfReach { account } => {
                write!(formatter, "account `{account}`, which the server runs as, may not run it")
            }
            Self::DoesNotRun => formatter.write_str("it does not run"),
            Self::Incomplete => formatter.write_str("its shared files are not there"),
            Self::OtherMajor { cluster } => write!(formatter, "the cluster is of PostgreSQL {cluster}"),
        }
    }
}
