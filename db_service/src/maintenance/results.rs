//! Generations of cached results: the oldest is emptied when it is its turn.

use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;
use sqlx::PgConnection;
use terminal::activity::Watcher;

use super::contract::{About, State, Task, Terms};

#[derive(Debug)]
pub(super) struct Results;

const ABOUT: About = About {
    name: "results",
    doing: "rotate the generations of cached results",
    function: Some("db_service.cache_rotate()"),
    tables: &[("db_service.cache_generation", "SELECT")],
    otherwise: "may not rotate them",
};

impl Task for Results {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn inspect<'a>(
        &'a self,
        connection: &'a mut PgConnection,
        terms: &'a Terms,
    ) -> LocalBoxFuture<'a, Result<State, sqlx::Error>> {
        async move {
            // A file of no length holds nothing, whatever its index says. A clock that was set back makes none of them younger
            // than none.
            let found = sqlx::query!(
                r#"SELECT pg_catalog.pg_relation_size('db_service.cache_0') + pg_catalog.pg_relation_size('db_service.cache_1')
                          + pg_catalog.pg_relation_size('db_service.cache_2') AS "bytes!",
                          abs(extract(epoch FROM pg_catalog.clock_timestamp() - g.rotated_at))::double precision AS "seconds!"
                   FROM db_service.cache_generation g"#
            )
            .fetch_one(connection)
            .await?;
            let kilobytes = found.bytes / 1024;
            Ok(if found.bytes == 0 {
                State::Fine("none are kept".into())
            } else if found.seconds < terms.results.as_secs_f64() {
                State::Fine(format!("{kilobytes} kB, rotated less than {} ago", hours(terms.results)))
            } else {
                State::Due(format!("{kilobytes} kB, rotated more than {} ago", hours(terms.results)))
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
            let rotated =
                sqlx::query_scalar!(r#"SELECT db_service.cache_rotate() AS "rotated!""#).fetch_one(connection).await?;
            Ok(if rotated {
                State::Fine("the oldest generation emptied".into())
            } else {
                State::LeftOut {
                    why: "a transaction is open that has read them".into(),
                    remedy: "they stay as they are, and the next run tries again".into(),
                }
            })
        }
        .boxed_local()
    }
}

fn hours(time: std::time::Duration) -> String {
    format!("{:.1} hours", time.as_secs_f64() / 3600.0)
}
