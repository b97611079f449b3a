//! What is going to be run, as a value: `migrations plan` prints it, the engine executes it, tests compare it.

use std::fmt;
use std::time::Duration;

use sqlx::{AssertSqlSafe, PgConnection};

use crate::relation::Relation;

/// One statement, with what it means to others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The SQL text, without a semicolon.
    pub sql: String,
    /// The strongest lock that it takes on something that others use.
    pub lock: Option<Lock>,
    /// How long it may wait for a lock, the first time; later attempts wait a little longer. None: as long as it takes.
    pub lock_timeout: Option<Duration>,
    /// What it is for.
    pub why: &'static str,
}

/// A lock on a relation that others use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    /// How strong.
    pub mode: LockMode,
    /// On what.
    pub relation: Relation,
}

/// Those of PostgreSQL's lock modes that we take, the weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LockMode {
    /// Reading.
    AccessShare,
    /// Against vacuum and changes of the schema: a concurrent index build.
    ShareUpdateExclusive,
    /// Against writers: an index build, a trigger.
    ShareRowExclusive,
    /// Against everybody.
    AccessExclusive,
}

/// How long a request for a lock that others conflict with may keep them waiting, the first time.
pub const FIRST_LOCK_TIMEOUT: Duration = Duration::from_millis(100);

impl Statement {
    /// One that others do not notice.
    #[must_use]
    pub fn new(why: &'static str, sql: impl Into<String>) -> Self {
        Self { sql: sql.into(), lock: None, lock_timeout: Some(FIRST_LOCK_TIMEOUT), why }
    }

    /// One that takes a lock.
    #[must_use]
    pub fn locking(mut self, mode: LockMode, relation: &Relation) -> Self {
        self.lock = Some(Lock { mode, relation: relation.clone() });
        self
    }

    /// One that may wait as long as it takes, since it keeps nobody waiting.
    #[must_use]
    pub fn patient(mut self) -> Self {
        self.lock_timeout = None;
        self
    }
}

impl fmt::Display for LockMode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::AccessShare => "ACCESS SHARE",
            Self::ShareUpdateExclusive => "SHARE UPDATE EXCLUSIVE",
            Self::ShareRowExclusive => "SHARE ROW EXCLUSIVE",
            Self::AccessExclusive => "ACCESS EXCLUSIVE",
        })
    }
}

/// A comment, and the text.
impl fmt::Display for Statement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "-- {}", self.why)?;
        if let Some(Lock { mode, relation }) = &self.lock {
            write!(formatter, "; locks {} in {mode} mode", relation.plain())?;
        }
        write!(formatter, "\n{};", self.sql)
    }
}

/// The texts as one, for a single round trip.
#[must_use]
pub fn text(statements: &[Statement]) -> String {
    statements.iter().map(|statement| statement.sql.as_str()).collect::<Vec<_>>().join(";\n")
}

/// Runs them, in the transaction that the connection is in.
///
/// # Errors
/// What the server said.
pub async fn execute(connection: &mut PgConnection, statements: &[Statement]) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(text(statements))).execute(connection).await.map(drop)
}

/// For the transaction that the connection is in.
///
/// # Errors
/// What the server said.
pub async fn set_lock_timeout(connection: &mut PgConnection, timeout: Duration) -> Result<(), sqlx::Error> {
    let setting = format!("SET LOCAL lock_timeout = '{}ms'", timeout.as_millis());
    sqlx::raw_sql(AssertSqlSafe(setting)).execute(connection).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_says_what_it_is_for_and_whom_it_stops() {
        let drop = Statement::new("the old form goes", "DROP TABLE x");
        assert_eq!(drop.to_string(), "-- the old form goes\nDROP TABLE x;");
        let lock = drop.clone().locking(LockMode::AccessExclusive, &Relation::public("t"));
        assert_eq!(lock.to_string(), "-- the old form goes; locks public.t in ACCESS EXCLUSIVE mode\nDROP TABLE x;");
        assert_eq!(text(&[drop.clone(), drop]), "DROP TABLE x;\nDROP TABLE x");
    }
}
