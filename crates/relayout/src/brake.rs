//! The brake: for a while, a writer sleeps a little after each row that it logs.
//!
//! It is in the functions that write to the log, which can be replaced without any lock on the table. It ends by itself: a
//! run that is killed leaves nobody slow for long. And it is bounded for each statement of a client, so that a long one
//! does not run into a limit because of us.

use std::cell::Cell;
use std::fmt;
use std::time::{Duration, Instant};

use database::{Statement, statement};
use sqlx::{AssertSqlSafe, PgConnection};

use crate::change_log;
use crate::job::Job;

/// It has to be put on again before that.
const LASTS: &str = "30 s";
/// A statement that has taken so long is not slowed down any further.
const MOST_A_STATEMENT: &str = "1 s";

const WHY: &str = "only if writers change rows faster than they are copied again: they are slowed down a little";

/// For how long writers were slowed down, and by how much at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Braked {
    /// Slept after a row.
    pub row: Duration,
    /// All in all.
    pub lasted: Duration,
}

impl fmt::Display for Braked {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "slowed down by up to {} ms a row for {:.0} s",
            self.row.as_millis(),
            self.lasted.as_secs_f64()
        )
    }
}

/// That of a job.
#[derive(Debug)]
pub(crate) struct Brake<'a> {
    job: &'a Job,
    /// The hardest so far, and since when there was one.
    put_on: Cell<Option<(Duration, Instant)>>,
}

impl<'a> Brake<'a> {
    /// Not put on.
    pub(crate) fn new(job: &'a Job) -> Self {
        Self { job, put_on: Cell::new(None) }
    }

    /// Puts it on, or on again: `row` is slept after each row.
    pub(crate) async fn put_on(&self, connection: &mut PgConnection, row: Duration) -> Result<(), sqlx::Error> {
        let until = format!("SELECT (pg_catalog.clock_timestamp() OPERATOR(pg_catalog.+) '{LASTS}')::text");
        let until: String = sqlx::query_scalar(AssertSqlSafe(until)).fetch_one(&mut *connection).await?;
        let since = self.put_on.get().map_or_else(Instant::now, |(_, since)| since);
        self.put_on.set(Some((row, since)));
        statement::execute(connection, &statements(self.job, row, &until)).await
    }

    /// Takes it off, if it is on; what it was.
    pub(crate) async fn take_off(self, connection: &mut PgConnection) -> Result<Option<Braked>, sqlx::Error> {
        let Some((row, since)) = self.put_on.get() else { return Ok(None) };
        let Job { table, definition, .. } = self.job;
        let functions = change_log::functions(table, definition, "nobody is slowed down any more", "");
        statement::execute(connection, &functions).await?;
        Ok(Some(Braked { row, lasted: since.elapsed() }))
    }
}

/// What is run at most, for showing it.
pub(crate) fn example(job: &Job, row: Duration) -> Vec<Statement> {
    if row.is_zero() { Vec::new() } else { statements(job, row, "half a minute from then") }
}

fn statements(job: &Job, row: Duration, until: &str) -> Vec<Statement> {
    // Functions instead of operators: it runs with the rights of who made it, and the caller's search path.
    let sleep = format!(
        "
                 IF pg_catalog.timestamptz_lt(pg_catalog.clock_timestamp(), '{until}')
                    AND pg_catalog.timestamptz_lt(pg_catalog.clock_timestamp(),
                        pg_catalog.timestamptz_pl_interval(pg_catalog.statement_timestamp(), '{MOST_A_STATEMENT}')) THEN
                     PERFORM pg_catalog.pg_sleep({});
                 END IF;",
        row.as_secs_f64()
    );
    change_log::functions(&job.table, &job.definition, WHY, &sleep)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::example::job;
    use crate::layout::Shape;

    #[test]
    fn one_that_is_forbidden_is_not_shown() {
        let job = job(Shape::Plain, Shape::even("repo_name", "path", 2));
        assert_eq!(example(&job, Duration::ZERO), []);
        assert_eq!(example(&job, Duration::from_millis(50)).len(), 2);
    }

    #[test]
    fn its_cost_is_said_in_milliseconds_a_row() {
        let braked = Braked { row: Duration::from_millis(8), lasted: Duration::from_millis(22_700) };
        assert_eq!(braked.to_string(), "slowed down by up to 8 ms a row for 23 s");
    }
}
