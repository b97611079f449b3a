//! What the server said, as the cause of an error: its message with detail and SQLSTATE, once.
//!
//! sqlx repeats a cause's text inside its own, and says `error returned from database: ` before what the server said.

use std::fmt;

use sqlx::error::DatabaseError;
use sqlx::migrate::MigrateError;
use sqlx::postgres::PgDatabaseError;

/// The cause of an error of ours.
#[derive(Debug)]
pub struct Cause(Kind);

#[derive(Debug)]
enum Kind {
    Sql(sqlx::Error),
    Migrate(MigrateError),
}

impl Cause {
    /// sqlx's error, if it is one of a statement or a connection.
    #[must_use]
    pub fn sql(&self) -> Option<&sqlx::Error> {
        match &self.0 {
            Kind::Sql(error) => Some(error),
            Kind::Migrate(_) => None,
        }
    }

    /// Whether code of the database's own has refused it: an event trigger, as a rule.
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        self.sql().and_then(sql_state).as_deref() == Some(RAISED)
    }

    /// What to do about it, by its SQLSTATE.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        self.sql().and_then(hint)
    }
}

impl From<sqlx::Error> for Cause {
    fn from(error: sqlx::Error) -> Self {
        Self(Kind::Sql(error))
    }
}

impl From<MigrateError> for Cause {
    fn from(error: MigrateError) -> Self {
        match error {
            // sqlx has wrapped it to name the migration, which our own error does.
            MigrateError::ExecuteMigration(error, _) | MigrateError::Execute(error) => error.into(),
            other => Self(Kind::Migrate(other)),
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Sql(sqlx::Error::Database(error)) => describe(error.as_ref(), formatter),
            Kind::Sql(error) if is_broken(error) => formatter.write_str("the server has closed the connection"),
            Kind::Sql(error) => error.fmt(formatter),
            Kind::Migrate(error) => error.fmt(formatter),
        }
    }
}

impl std::error::Error for Cause {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0 {
            Kind::Sql(sqlx::Error::Database(_)) => None,
            Kind::Sql(error) if is_broken(error) => None,
            Kind::Sql(error) => error.source(),
            Kind::Migrate(error) => error.source(),
        }
    }
}

fn describe(error: &dyn DatabaseError, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    formatter.write_str(error.message())?;
    if let Some(detail) = error.try_downcast_ref::<PgDatabaseError>().and_then(PgDatabaseError::detail) {
        write!(formatter, ": {detail}")?;
    }
    match error.code() {
        Some(code) => write!(formatter, " (SQLSTATE {code})"),
        None => Ok(()),
    }
}

/// What the server has said, where an error is one of the server's.
#[must_use]
pub fn said(error: &sqlx::Error) -> Option<&PgDatabaseError> {
    error.as_database_error().and_then(|error| error.try_downcast_ref())
}

/// The SQLSTATE of a server's error.
#[must_use]
pub fn sql_state(error: &sqlx::Error) -> Option<String> {
    error.as_database_error().and_then(DatabaseError::code).map(std::borrow::Cow::into_owned)
}

/// What to do where a pooler stands in between.
pub const POOLED: &str = "nothing was changed: use a URL of the server itself, or of a pool in session mode; locks have to last longer \
                          than a transaction";

/// What to do where a pooler has no session left.
pub(crate) const FULL_POOL: &str = "a run needs several sessions at once: raise the pooler's `pool_size` to 10 or more, or use a URL of the \
                                    server itself";

/// What to do where the server only replays another's changes.
pub const STANDBY: &str = "nothing was changed: use a URL of the primary";

/// What to do where a statement is refused because its transaction only reads.
const READ_ONLY: &str = "transactions only read here: use a URL of the primary if this is a standby; else `default_transaction_read_only` is \
                         on: `ALTER ROLE … RESET` it, or `ALTER DATABASE … RESET`";

/// `RAISE EXCEPTION` without an `ERRCODE`. Nothing of ours raises it.
const RAISED: &str = "P0001";

/// It has ended in the middle, without a word.
fn is_broken(error: &sqlx::Error) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(error, sqlx::Error::Io(error)
             if matches!(error.kind(), UnexpectedEof | ConnectionReset | ConnectionAborted | BrokenPipe))
}

fn hint(error: &sqlx::Error) -> Option<String> {
    if is_broken(error) {
        return Some(
            "its log says why (`cargo xtask db-server logs`): out of disk or memory, perhaps; run the same command again, finished \
             steps are skipped"
                .into(),
        );
    }
    Some(match sql_state(error)?.as_str() {
        "42501" => "the role lacks a right: grant it, or use a URL of a role that has it".into(),
        // In memory that is a file: the setting is a container's, not the disk's.
        "53100" if error.as_database_error()?.message().contains("shared memory") => {
            "the server's shared memory is full: give its container more with `--shm-size`, or set \
             `max_parallel_maintenance_workers` and `max_parallel_workers_per_gather` to 0"
                .into()
        }
        "53100" => "free disk space on the server and run the same command again; finished steps are skipped".into(),
        "55P03" => {
            "something holds a lock on the object for long: see `pg_stat_activity` and `pg_prepared_xacts`, then run the same command again"
                .into()
        }
        "25006" => READ_ONLY.into(),
        // Of PgBouncer, which has this one code for all that it does not do.
        "08P01" => pooler_hint(error.as_database_error()?.message())?.into(),
        RAISED => {
            "code of the database's own has refused it, an event trigger perhaps: disable it for the run, by `ALTER EVENT TRIGGER … \
             DISABLE`"
                .into()
        }
        // A prepared statement is gone, or there already.
        "26000" | "42P05" => format!("is this a pooler in transaction mode? If so: {POOLED}"),
        "57014" | "57P01" | "57P02" => {
            "the server ended the statement: run the same command again; finished steps are skipped".into()
        }
        _ => return None,
    })
}

/// What to do where PgBouncer has refused something.
fn pooler_hint(message: &str) -> Option<&'static str> {
    Some(match message {
        _ if message.contains("unsupported startup parameter") => {
            "add the parameter to PgBouncer's `ignore_startup_parameters`, or use a URL of the server itself"
        }
        _ if message.contains("statement pooling") => POOLED,
        _ if message.contains("query_wait_timeout") => FULL_POOL,
        _ if message.contains("no such database") || message.contains("does not exist") => {
            "the pooler knows no such database: check the name in the URL, and `[databases]` in PgBouncer's configuration; what is \
             missing on the server itself is created through a URL of the server"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_pooler_does_not_do_has_its_remedy() {
        for (message, remedy) in [
            ("unsupported startup parameter: options", "ignore_startup_parameters"),
            ("transaction blocks not allowed in statement pooling mode", "session mode"),
            ("query_wait_timeout", "`pool_size`"),
            ("no such database: d", "knows no such database"),
            (
                r#"server login has been failing, cached error: database "d" does not exist (server_login_retry)"#,
                "[databases]",
            ),
        ] {
            let hint = pooler_hint(message).unwrap();
            assert!(hint.contains(remedy), "{message}: {hint}");
        }
        assert_eq!(pooler_hint("protocol violation"), None);
    }
}
