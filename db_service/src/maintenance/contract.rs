//! What every task can do.

use std::fmt::Debug;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;
use sqlx::PgConnection;
use terminal::activity::Watcher;

/// How long things are kept.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// Rows of `rag_performance_stats`.
    pub statistics: Duration,
    /// Results in the database, from a rotation of their generations to the next.
    pub results: Duration,
    /// Only say what is due.
    pub is_dry: bool,
}

impl Terms {
    /// Of whoever says nothing else.
    pub const ORDINARY: Self =
        Self { statistics: Duration::from_hours(90 * 24), results: Duration::from_hours(1), is_dry: false };
}

/// What a task says of a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// There is nothing to do.
    Fine(String),
    /// There is.
    Due(String),
    /// It cannot be done here, or not now.
    LeftOut {
        /// The reason.
        why: String,
        /// What to do about it.
        remedy: String,
    },
}

/// What a task is called, and what it works on.
#[derive(Debug)]
pub(super) struct About {
    /// In one word.
    pub(super) name: &'static str,
    /// What it does: `fold versions`.
    pub(super) doing: &'static str,
    /// A function of the layer, in full with its types; none where it is tables alone.
    pub(super) function: Option<&'static str>,
    /// Tables, and what has to be allowed on each.
    pub(super) tables: &'static [(&'static str, &'static str)],
    /// What a role is told that may not: `may not fold them`.
    pub(super) otherwise: &'static str,
}

/// Something that is due now and then.
pub(super) trait Task: Debug + Sync {
    /// What it is called, and what it works on: where that is not there or not allowed, nothing else is asked of it.
    fn about(&self) -> &'static About;

    /// Whether it is due. Writes nothing.
    fn inspect<'a>(
        &'a self,
        connection: &'a mut PgConnection,
        terms: &'a Terms,
    ) -> LocalBoxFuture<'a, Result<State, sqlx::Error>>;

    /// What it has to know when it is due again; called where it is not due now.
    fn remember<'a>(&'a self, _connection: &'a mut PgConnection) -> LocalBoxFuture<'a, Result<(), sqlx::Error>> {
        async { Ok(()) }.boxed_local()
    }

    /// Does it, a short transaction after the other, so that a kill loses nothing; and says what came of it.
    fn apply<'a>(
        &'a self,
        connection: &'a mut PgConnection,
        terms: &'a Terms,
        watcher: &'a dyn Watcher,
    ) -> LocalBoxFuture<'a, Result<State, sqlx::Error>>;
}

impl State {
    /// Something of the layer is not there yet.
    pub(super) fn not_declared() -> Self {
        Self::LeftOut {
            why: "the layer's migrations have not been applied".into(),
            remedy: "run `migrations`, then this again".into(),
        }
    }

    /// The role may not do it.
    pub(super) fn not_allowed(what: &str) -> Self {
        Self::LeftOut { why: format!("this role {what}"), remedy: "run it as the role that runs `migrations`".into() }
    }
}
