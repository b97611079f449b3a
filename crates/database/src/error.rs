//! What can go wrong on the way to a database, and in it.

use std::time::Duration;

use terminal::{Exit, Failure};

use crate::cause::{Cause, POOLED, STANDBY};
use crate::connection::ConnectError;
use crate::retry::LockTrouble;
use crate::url::DatabaseUrlError;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text given as a database URL is none.
    #[error("cannot read the database URL")]
    DatabaseUrl(#[from] DatabaseUrlError),
    /// The variable that should hold one holds none.
    #[error("cannot read the database URL in the variable `{name}`")]
    VariableUrl {
        /// The variable.
        name: &'static str,
        /// What is wrong with it.
        #[source]
        source: DatabaseUrlError,
    },
    /// No connection.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// A statement failed.
    #[error("cannot {doing} in database `{database}`")]
    Sql {
        /// What was being done, as a verb phrase.
        doing: String,
        /// Where.
        database: String,
        /// What the server said.
        #[source]
        source: Cause,
    },
    /// Another runner did not finish in time.
    #[error("gave up waiting for another migration of database `{database}` after {} s", .waited.as_secs())]
    LockHeld {
        /// Where.
        database: String,
        /// How long.
        waited: Duration,
        /// Who holds the lock, as far as the server tells.
        holder: Option<String>,
    },
    /// A pooler in transaction mode.
    #[error("the connection to database `{database}` goes through a pooler in transaction mode")]
    Pooled {
        /// Where.
        database: String,
    },
    /// A server from before the features that the layers rest on.
    #[error("PostgreSQL {found} is too old: {oldest} is the oldest that works")]
    TooOld {
        /// Its version, as `15.18`.
        found: String,
        /// The major version from which on it works.
        oldest: i32,
    },
    /// A server that only replays another's changes.
    #[error("the server of database `{database}` is a standby and takes no writes")]
    Standby {
        /// Where.
        database: String,
    },
}

impl Error {
    /// For `map_err`: names what a statement was for.
    pub fn sql(doing: &str, database: &str) -> impl FnOnce(sqlx::Error) -> Self + use<> {
        let (doing, database) = (doing.to_owned(), database.to_owned());
        move |source| Self::Sql { doing, database, source: source.into() }
    }

    /// No connection, since there are as many as there may be.
    #[must_use]
    pub fn has_no_room(&self) -> bool {
        matches!(self, Self::Connect(error) if error.has_no_room())
    }
}

impl LockTrouble for Error {
    fn is_lock_trouble(&self) -> bool {
        matches!(self, Self::Sql { source, .. } if source.is_lock_trouble())
    }
}

impl Failure for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::DatabaseUrl(error) | Self::VariableUrl { source: error, .. } => Some(error.hint()),
            Self::Connect(error) => error.hint(),
            Self::Sql { source, .. } => source.hint(),
            Self::LockHeld { holder: Some(holder), .. } => {
                Some(format!("wait for {holder}, or end it with `SELECT pg_terminate_backend(<pid>)`"))
            }
            Self::LockHeld { .. } => Some("wait for the other run to end and run the same command again".into()),
            Self::Pooled { .. } => Some(POOLED.into()),
            Self::Standby { .. } => Some(STANDBY.into()),
            Self::TooOld { .. } => {
                Some("use a newer server; `cargo xtask db-setup --server embedded` brings its own".into())
            }
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::DatabaseUrl(_) | Self::VariableUrl { .. } | Self::Pooled { .. } | Self::Standby { .. } => Exit::Usage,
            _ => Exit::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::url::DatabaseUrl;

    #[test]
    fn an_error_says_what_why_and_next_once() {
        let error = Error::DatabaseUrl(DatabaseUrl::parse("mysql://h/d").unwrap_err());
        assert_eq!(error.to_string(), "cannot read the database URL");
        assert_eq!(error.causes(), ["its scheme is `mysql`, not `postgres`"]);
        assert_eq!(error.hint().as_deref(), Some("write `postgres://user:password@host:5432/database`"));
        assert_eq!(error.exit(), Exit::Usage);
    }
}
