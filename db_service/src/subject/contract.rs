//! What every subject can do.

use std::fmt::Debug;

use database::Worker;
use futures_util::future::LocalBoxFuture;
use ledger::migrate::LedgerState;
use relayout::Engine;
use sqlx::PgConnection;
use terminal::Finding;
use terminal::step::Step;

use crate::error::Error;

/// Something that is declared in `db_service` and brought about here.
pub trait Subject {
    /// Reads what is declared and what is there. Writes nothing.
    fn inspect<'a>(
        &'a self,
        connection: &'a mut PgConnection,
        ledger: &'a LedgerState,
        database: &'a str,
    ) -> LocalBoxFuture<'a, Result<Box<dyn Inspected>, Error>>;
}

/// What a database says of a subject.
pub trait Inspected: Debug {
    /// What is to be done. Pure.
    fn plan(&self) -> Box<dyn Planned>;
}

/// What a subject has found may say by itself what is to be done.
impl<T: Planned + Clone + 'static> Inspected for T {
    fn plan(&self) -> Box<dyn Planned> {
        Box::new(self.clone())
    }
}

/// What is to be done about a subject; a value that can be shown or applied.
pub trait Planned: Debug {
    /// Nothing is to be done.
    fn is_empty(&self) -> bool;
    /// What is reported of what is there already.
    fn unchanged(&self, database: &str) -> Vec<Step>;
    /// Tells that; but not to whoever asks for the layout of one table, who is told of what has changed with it.
    fn tell_unchanged(&self, terms: &Terms<'_>, report: &mut dyn FnMut(Step)) {
        if terms.only.is_none() {
            self.unchanged(terms.database()).into_iter().for_each(report);
        }
    }
    /// What is reported instead of doing it.
    fn pending(&self, database: &str) -> Vec<Step>;
    /// What is worth knowing before it is done, each said once whatever is done how often.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }
    /// Tables that it will not touch as they are, with all that stands against each.
    fn refused(&self) -> Vec<(String, Vec<Finding>)> {
        Vec::new()
    }
    /// The part of it that comes due by itself, as time goes by and rows are written: done for whoever asks for maintenance. None
    /// where there is nothing of that kind.
    fn upkeep(&self) -> Option<Box<dyn Planned>> {
        None
    }
    /// Does it; the worker has it from the lock that nobody else is at it.
    fn apply<'a>(
        &'a self,
        terms: &'a Terms<'a>,
        worker: &'a mut Worker,
        report: &'a mut dyn FnMut(Step),
    ) -> LocalBoxFuture<'a, Result<(), Error>>;
}

/// With what, and within which bounds.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// Moves rows.
    pub engine: Engine<'a>,
    /// Tables of more bytes are left as they are, until somebody agrees.
    pub most_bytes: u64,
    /// Only these tables are brought into their layouts, if they are named.
    pub only: Option<&'a [String]>,
}

impl Terms<'_> {
    /// Tables up to this size are converted without asking: 1 GiB, seconds of work.
    pub const SMALL: u64 = 1 << 30;

    /// Whether a table is one of those that are to be worked on.
    #[must_use]
    pub fn includes(&self, table: &str) -> bool {
        self.only.is_none_or(|only| only.iter().any(|name| name == table))
    }

    /// The database that is worked on.
    #[must_use]
    pub fn database(&self) -> &str {
        self.engine.lock.url().database()
    }
}
