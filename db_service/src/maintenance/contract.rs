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

/// Something that is due now and then.
pub(super) trait Task: Debug + Sync {
    /// What it is about, in one word.
    fn name(&self) -> &'static str;

    /// What it does: `fold versions`.
    fn doing(&self) -> &'static str;

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
