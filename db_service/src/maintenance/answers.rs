//! Answers of language models whose time is over.

use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;
use sqlx::PgConnection;
use terminal::activity::Watcher;

use super::contract::{About, State, Task, Terms};
use super::pruned;

#[derive(Debug)]
pub(super) struct Answers;

const ABOUT: About = About {
    name: "answers",
    doing: "delete expired answers of `llm_semantic_cache`",
    function: None,
    // To lock a row is to be allowed to change it.
    tables: &[("public.llm_semantic_cache", "SELECT, UPDATE, DELETE")],
    otherwise: "may not delete from it",
};

impl Task for Answers {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn inspect<'a>(
        &'a self,
        connection: &'a mut PgConnection,
        _terms: &'a Terms,
    ) -> LocalBoxFuture<'a, Result<State, sqlx::Error>> {
        async move {
            let expired = sqlx::query_file_scalar!("queries/due_answers.sql").fetch_one(connection).await?;
            Ok(pruned::state(expired, "none has expired", "have expired"))
        }
        .boxed_local()
    }

    fn apply<'a>(
        &'a self,
        connection: &'a mut PgConnection,
        _terms: &'a Terms,
        watcher: &'a dyn Watcher,
    ) -> LocalBoxFuture<'a, Result<State, sqlx::Error>> {
        async move {
            let work = watcher.began("llm_semantic_cache");
            pruned::in_batches(work.as_ref(), async || {
                let dropped = sqlx::query_file!("queries/drop_answers.sql", pruned::BATCH);
                dropped.execute(&mut *connection).await.map(|done| done.rows_affected())
            })
            .await
        }
        .boxed_local()
    }
}
