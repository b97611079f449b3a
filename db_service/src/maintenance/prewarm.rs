//! The indexes that are used most, read into the server's memory after a restart.

use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;
use relayout::layout::Bytes;
use sqlx::{AssertSqlSafe, PgConnection};
use terminal::activity::{Count, Unit, Watcher};

use super::contract::{About, State, Task, Terms};

#[derive(Debug)]
pub(super) struct Prewarm;

const ABOUT: About = About {
    name: "memory",
    doing: "read indexes into memory",
    function: None,
    tables: &[
        ("db_service.index_use", "SELECT, INSERT, UPDATE, DELETE"),
        ("db_service.warmed", "SELECT, INSERT, UPDATE"),
    ],
    otherwise: "may not note how indexes are used",
};

/// How much an index was used.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Used {
    name: String,
    bytes: i64,
    /// Blocks that were read of it since the counters were emptied.
    blocks: i64,
    /// What the counters said when the last run noted them.
    noted: i64,
}

/// Of the server's memory for pages: the rest is for the rows that searches read.
const SHARE: (i64, i64) = (3, 4);

impl Task for Prewarm {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn inspect<'a>(
        &'a self,
        connection: &'a mut PgConnection,
        _terms: &'a Terms,
    ) -> LocalBoxFuture<'a, Result<State, sqlx::Error>> {
        async move {
            let found = sqlx::query_file!("queries/due_prewarm.sql").fetch_one(&mut *connection).await?;
            if found.is_automatic == Some(true) {
                return Ok(State::Fine("the server fills it by itself (`pg_prewarm.autoprewarm`)".into()));
            }
            if found.schema.is_none() {
                return Ok(State::LeftOut {
                    why: "the extension `pg_prewarm` is not installed".into(),
                    remedy: "`CREATE EXTENSION pg_prewarm`, or `db-setup`, where the server offers it".into(),
                });
            }
            if found.is_warm {
                return Ok(State::Fine("filled since the server was started".into()));
            }
            let used = used(connection).await?;
            let chosen = chosen(&used, room(found.buffers));
            Ok(if chosen.is_empty() {
                State::Fine("no index was used yet".into())
            } else {
                State::Due(format!("{} indexes of {} to read", chosen.len(), sum(&chosen)))
            })
        }
        .boxed_local()
    }

    /// What the counters say, for when they are lost.
    fn remember<'a>(&'a self, connection: &'a mut PgConnection) -> LocalBoxFuture<'a, Result<(), sqlx::Error>> {
        async move {
            let used = used(connection).await?;
            note(connection, &used).await
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
            let found = sqlx::query_file!("queries/due_prewarm.sql").fetch_one(&mut *connection).await?;
            let schema = database::quote::identifier(&found.schema.unwrap_or_default());
            let used = used(connection).await?;
            let chosen = chosen(&used, room(found.buffers));
            let work = watcher.began("memory");
            work.phase("reading indexes", Some(Count::of(Unit::Indexes, chosen.len() as u64)));
            // The hottest last: what is read later stays longer, where the server has other things to keep.
            let (mut read, mut refused) = (Vec::new(), 0);
            for index in chosen.iter().rev() {
                // One that is gone by now is none; one of a table that this role may not read is left.
                let text = format!("SELECT {schema}.pg_prewarm(pg_catalog.to_regclass($1), 'buffer')");
                let warmed = sqlx::query(AssertSqlSafe(text)).bind(&index.name).execute(&mut *connection).await;
                match warmed {
                    Ok(_) => read.push(*index),
                    Err(error) if database::cause::sql_state(&error).as_deref() == Some("42501") => refused += 1,
                    Err(error) => return Err(error),
                }
                work.advanced(1);
            }
            note(connection, &used).await?;
            if read.is_empty() {
                return Ok(State::not_allowed("may not read any of the tables"));
            }
            let warmed = sqlx::query!(
                "INSERT INTO db_service.warmed (started_at) VALUES (pg_catalog.pg_postmaster_start_time())
                 ON CONFLICT (is_only) DO UPDATE SET started_at = excluded.started_at"
            );
            warmed.execute(connection).await?;
            let rest =
                if refused == 0 { String::new() } else { format!("; {refused} of tables that this role may not read") };
            Ok(State::Fine(format!("{} indexes of {} read{rest}", read.len(), sum(&read))))
        }
        .boxed_local()
    }
}

async fn used(connection: &mut PgConnection) -> Result<Vec<Used>, sqlx::Error> {
    sqlx::query_file_as!(Used, "queries/index_use.sql").fetch_all(connection).await
}

/// For the next run after a restart.
async fn note(connection: &mut PgConnection, used: &[Used]) -> Result<(), sqlx::Error> {
    let names: Vec<String> = used.iter().map(|it| it.name.clone()).collect();
    let blocks: Vec<i64> = used.iter().map(|it| it.blocks.max(it.noted)).collect();
    sqlx::query_file!("queries/note_index_use.sql", &names, &blocks).execute(connection).await.map(drop)
}

fn room(buffers: i64) -> i64 {
    buffers / SHARE.1 * SHARE.0
}

/// Those that are used most for their size, as many as there is room for. Counters survive a restart and not a crash: what was noted
/// before counts beside them.
fn chosen(used: &[Used], mut room: i64) -> Vec<&Used> {
    let mut hottest: Vec<&Used> = used.iter().filter(|it| it.blocks + it.noted > 0).collect();
    // By blocks for each byte, as a fraction, which no rounding makes equal.
    let heat = |it: &Used| i128::from(it.blocks) + i128::from(it.noted);
    hottest.sort_by(|one, other| {
        let by_heat = (heat(other) * i128::from(one.bytes)).cmp(&(heat(one) * i128::from(other.bytes)));
        by_heat.then_with(|| one.name.cmp(&other.name))
    });
    hottest.retain(|it| {
        let fits = it.bytes <= room;
        room -= if fits { it.bytes } else { 0 };
        fits
    });
    hottest
}

fn sum(indexes: &[&Used]) -> Bytes {
    Bytes(indexes.iter().map(|it| it.bytes.unsigned_abs()).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(name: &str, bytes: i64, blocks: i64, noted: i64) -> Used {
        Used { name: name.into(), bytes, blocks, noted }
    }

    #[test]
    fn the_hottest_for_their_size_are_chosen_as_far_as_there_is_room() {
        let all = [
            used("large", 800, 900, 0),
            used("small", 100, 300, 0),
            used("before the crash", 200, 0, 700),
            used("never", 10, 0, 0),
            used("cold", 300, 10, 0),
        ];
        let names = |room| chosen(&all, room).into_iter().map(|it| it.name.as_str()).collect::<Vec<_>>();
        assert_eq!(names(2000), ["before the crash", "small", "large", "cold"]);
        assert_eq!(names(1000), ["before the crash", "small", "cold"], "what does not fit makes room for what does");
        assert_eq!(names(50), [""; 0]);
    }
}
