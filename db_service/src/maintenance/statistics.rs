//! Rows of `rag_performance_stats` that are older than they are to be kept: weeks of them with their leaves, where there are such.

use std::fmt;

use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;
use relayout::layout::Week;
use relayout::old_weeks;
use sqlx::PgConnection;
use terminal::activity::Watcher;

use super::contract::{About, State, Task, Terms};
use super::pruned;
use crate::interval::interval;

#[derive(Debug)]
pub(super) struct Statistics;

const TABLE: &str = "rag_performance_stats";

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
            let weeks = Weeks::read(connection, terms).await?;
            if !weeks.may_drop {
                let why = format!("{weeks}, and this role does not own the table");
                return Ok(State::LeftOut { why, remedy: "run it as the role that runs `migrations`".into() });
            }
            let old = sqlx::query_file_scalar!("queries/due_statistics.sql", weeks.rows_since);
            let old = old.fetch_one(connection).await?;
            let rows = pruned::state(old, "none is older than it is kept", "are older than they are kept");
            Ok(match rows {
                _ if weeks.old.is_empty() => rows,
                State::Due(rows) => State::Due(format!("{weeks}; {rows}")),
                _ => State::Due(weeks.to_string()),
            })
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
            let work = watcher.began(TABLE);
            let weeks = Weeks::read(connection, terms).await?;
            let mut dropped = 0;
            for week in &weeks.old {
                if !old_weeks::drop(connection, TABLE, *week).await? {
                    break;
                }
                dropped += 1;
            }
            // With fewer weeks, there may be more rows that are older than all of them.
            let rows_since = Weeks::read(connection, terms).await?.rows_since;
            let rows = pruned::in_batches(work.as_ref(), async || {
                let dropped = sqlx::query_file!("queries/drop_statistics.sql", rows_since, pruned::BATCH);
                dropped.execute(&mut *connection).await.map(|done| done.rows_affected())
            })
            .await?;
            Ok(match rows {
                _ if dropped < weeks.old.len() => State::LeftOut {
                    why: format!(
                        "{dropped} of {} weeks dropped: the table is in use, or being changed",
                        weeks.old.len()
                    ),
                    remedy: "the next run tries again".into(),
                },
                State::Fine(rows) if dropped > 0 => State::Fine(format!("{dropped} weeks dropped, {rows}")),
                rows => rows,
            })
        }
        .boxed_local()
    }
}

/// Those that are wholly older than rows are kept.
struct Weeks {
    old: Vec<Week>,
    may_drop: bool,
    /// From when on rows are kept that are of no week, or where there are none.
    rows_since: Option<String>,
}

impl Weeks {
    async fn read(connection: &mut PgConnection, terms: &Terms) -> Result<Self, sqlx::Error> {
        let kept = sqlx::query_file!("queries/statistics_kept_from.sql", interval(terms.statistics));
        let kept = kept.fetch_one(&mut *connection).await?;
        let rows = sqlx::query_file!("queries/old_weeks.sql", kept.weeks).fetch_all(connection).await?;
        let may_drop = rows.iter().all(|row| row.may_drop);
        let old = rows.iter().filter_map(|row| Week::of_digits(&row.monday)).collect();
        Ok(Self { old, may_drop, rows_since: kept.rows })
    }
}

impl fmt::Display for Weeks {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.old.len() {
            1 => formatter.write_str("1 week is older than it is kept"),
            weeks => write!(formatter, "{weeks} weeks are older than they are kept"),
        }
    }
}
