//! Rows of `rag_performance_stats` that are older than they are to be kept.

use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;
use sqlx::PgConnection;
use terminal::activity::Watcher;

use super::contract::{About, State, Task, Terms};
use super::pruned;
use crate::interval::interval;

#[derive(Debug)]
pub(super) struct Statistics;

const ABOUT: About = About {
    name: "statistics",
    doing: "delete old rows of `rag_performance_stats`",
    function: None,
    tables: &[("public.rag_performance_stats", "SELECT, DELETE")],
    otherwise: "may not delete from it",
};

impl Task for Statistics {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn inspect<'a>(
        &'a self,
        connection: &'a mut PgConnection,
        terms: &'a Terms,
    ) -> LocalBoxFuture<'a, Result<State, sqlx::Error>> {
        async move {
            let old = sqlx::query_file_scalar!("queries/due_statistics.sql", interval(terms.statistics));
            let old = old.fetch_one(connection).await?;
            Ok(pruned::state(old, "none is older than it is kept", "are older than they are kept"))
        }
        .boxed_local()
    }

    fn apply<'a>(
        &'a self,
        connection: &'a mut PgConnection,
        terms: &'a Terms,
        watcher: &'a dyn Watcher,
    ) -> LocalBoxFuture<'a, Result<State, sqlx::Error>> {
        async move {
            let work = watcher.began("rag_performance_stats");
            pruned::in_batches(work.as_ref(), async || {
                let keep = interval(terms.statistics);
                let dropped = sqlx::query_file!("queries/drop_statistics.sql", keep, pruned::BATCH);
                dropped.execute(&mut *connection).await.map(|done| done.rows_affected())
            })
            .await
        }
        .boxed_local()
    }
}
