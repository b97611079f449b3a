//! What was written since the last fold, taken into the index of the codes.

use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;
use sqlx::PgConnection;
use terminal::activity::Watcher;

use super::contract::{About, State, Task, Terms};
use crate::subject::codes;

#[derive(Debug)]
pub(super) struct FreshCodes;

const ABOUT: About = About {
    name: "codes",
    doing: "take fresh codes into the index",
    function: Some("db_service.fold_codes(integer)"),
    tables: &[
        ("db_service.fresh_codes", "SELECT, UPDATE, DELETE"),
        ("db_service.embedding_codes", "SELECT, INSERT, UPDATE, DELETE"),
    ],
    otherwise: "may not fold them",
};

impl Task for FreshCodes {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn inspect<'a>(
        &'a self,
        connection: &'a mut PgConnection,
        _terms: &'a Terms,
    ) -> LocalBoxFuture<'a, Result<State, sqlx::Error>> {
        async move {
            let found = sqlx::query!(
                r#"SELECT db_service.codes_in_use() AS form, (SELECT count(*) FROM db_service.fresh_codes) AS "fresh!""#
            )
            .fetch_one(connection)
            .await?;
            Ok(match (found.form, found.fresh) {
                (None, _) => State::Fine("no codes are in use".into()),
                (Some(_), 0) => State::Fine("all are in the index".into()),
                (Some(_), fresh) => State::Due(format!("{fresh} fresh ones for the index")),
            })
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
            let work = watcher.began("codes of embeddings");
            work.phase("folding", None);
            let folded = codes::fold_all(connection).await?;
            Ok(State::Fine(format!("{folded} fresh ones taken into the index")))
        }
        .boxed_local()
    }
}
