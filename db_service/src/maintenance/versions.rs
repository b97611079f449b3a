//! Marks of versions, one for each statement and repository, made into one for each repository.

use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;
use sqlx::PgConnection;
use terminal::activity::Watcher;

use super::contract::{About, State, Task, Terms};

#[derive(Debug)]
pub(super) struct Versions;

const ABOUT: About = About {
    name: "versions",
    doing: "fold the versions of repositories",
    function: Some("db_service.fold_versions(integer)"),
    tables: &[("db_service.repository_version", "SELECT")],
    otherwise: "may not fold them",
};

/// Marks that are taken at a time.
const BATCH: i32 = 100_000;

impl Task for Versions {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn inspect<'a>(
        &'a self,
        connection: &'a mut PgConnection,
        _terms: &'a Terms,
    ) -> LocalBoxFuture<'a, Result<State, sqlx::Error>> {
        async move {
            let too_many = sqlx::query_scalar!(
                r#"SELECT count(*) - count(DISTINCT (v.concerns, v.repo_name)) AS "marks!" FROM db_service.repository_version v"#
            )
            .fetch_one(connection)
            .await?;
            Ok(match too_many {
                0 => State::Fine("one mark for each repository".into()),
                marks => State::Due(format!("{marks} marks to fold")),
            })
        }
        .boxed_local()
    }

    fn apply<'a>(
        &'a self,
        connection: &'a mut PgConnection,
        _terms: &'a Terms,
        _watcher: &'a dyn Watcher,
    ) -> LocalBoxFuture<'a, Result<State, sqlx::Error>> {
        async move {
            let mut all = 0;
            loop {
                let folded = sqlx::query_scalar!(r#"SELECT db_service.fold_versions($1) AS "folded!""#, BATCH)
                    .fetch_one(&mut *connection)
                    .await?;
                if folded == 0 {
                    return Ok(State::Fine(format!("{all} marks folded")));
                }
                all += i64::from(folded);
            }
        }
        .boxed_local()
    }
}
