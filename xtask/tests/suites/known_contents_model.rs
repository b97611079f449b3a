//! Whatever is written, and however, by several who do not wait for each other: once it is committed, no filter denies it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use db_service::dedup::{ContentHash, KnownContents};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool};

use crate::Verdict::{self, Passed};
use crate::command::{block_on, migrations};
use crate::database::{Database, Stage};
use crate::random::Random;
use crate::result_cache::pool;
use crate::result_cache_model::{RELAYOUTS, below, number};
use crate::server::TestServer;

crate::tests![no_filter_denies_what_is_committed];

/// Contents of the rows, by their keys.
type Model = BTreeMap<(String, String), u64>;

/// Somebody who writes: rows of its own, so that nobody waits for anybody.
struct Writer {
    connection: PgConnection,
    name: usize,
    /// What is committed.
    model: Model,
    /// What it will be, while a transaction is open; and what it was at the savepoint.
    open: Option<(Model, Model)>,
}

/// Contents that there may be.
const CONTENTS: u64 = 5_000;

fn hash(content: u64) -> ContentHash {
    ContentHash::of(content.to_string())
}

async fn try_to_run(connection: &mut PgConnection, sql: &str) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(connection).await.map(drop)
}

async fn run(connection: &mut PgConnection, sql: &str) {
    try_to_run(connection, sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// Whether somebody else's transaction is what is in the way, which serializable ones have to expect.
fn is_conflict(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|it| it.code().is_some_and(|code| code == "40001"))
}

impl Writer {
    /// What it sees.
    fn rows(&mut self) -> &mut Model {
        self.open.as_mut().map_or(&mut self.model, |(rows, _)| rows)
    }

    /// One statement, alone or in the transaction that is open.
    async fn write(&mut self, random: &mut Random) -> Result<(), sqlx::Error> {
        let (repository, path) = (format!("r{}", below(random, 4)), format!("{} {}", self.name, below(random, 8)));
        let (key, content) = ((repository.clone(), path.clone()), below(random, CONTENTS));
        let at = format!("WHERE repo_name = '{repository}' AND file_path = '{path}'");
        let hash = hash(content);
        let mut rows = self.rows().clone();
        let is_there = rows.contains_key(&key);
        let columns = "(repo_name, file_path, content, content_hash, size_bytes)";
        let values = format!("('{repository}', '{path}', '', '\\x{hash}', 0)");
        let sql = match below(random, 10) {
            0..=3 => {
                rows.insert(key, content);
                format!(
                    "INSERT INTO code_files {columns} VALUES {values}
                     ON CONFLICT (repo_name, file_path) DO UPDATE SET content_hash = excluded.content_hash"
                )
            }
            4 => {
                rows.remove(&key);
                format!("DELETE FROM code_files {at}")
            }
            // To another repository, and perhaps to another content.
            5 if is_there => {
                let other = (format!("r{}", below(random, 4)), path);
                if rows.contains_key(&other) {
                    return Ok(());
                }
                let content = if below(random, 2) == 0 { content } else { rows[&key] };
                rows.remove(&key);
                let hash = self::hash(content);
                let sql = format!("UPDATE code_files SET repo_name = '{}', content_hash = '\\x{hash}' {at}", other.0);
                rows.insert(other, content);
                sql
            }
            // Straight to a leaf.
            6 if is_there => {
                let leaf = format!("SELECT tableoid::regclass::text FROM code_files {at}");
                let leaf: String = sqlx::query_scalar(AssertSqlSafe(leaf)).fetch_one(&mut self.connection).await?;
                rows.insert(key, content);
                format!("UPDATE {leaf} SET content_hash = '\\x{hash}' {at}")
            }
            7 if !is_there => {
                let copy = format!("COPY code_files {columns} FROM STDIN");
                let mut copy = self.connection.copy_in_raw(&copy).await?;
                copy.send(format!("{repository}\t{path}\t\t\\\\x{hash}\t0\n").as_bytes()).await?;
                copy.finish().await?;
                rows.insert(key, content);
                *self.rows() = rows;
                return Ok(());
            }
            8 => {
                rows.insert(key, content);
                format!(
                    "MERGE INTO code_files f USING (VALUES {values}) v {columns}
                     ON f.repo_name = v.repo_name AND f.file_path = v.file_path
                     WHEN MATCHED THEN UPDATE SET content_hash = v.content_hash::bytea
                     WHEN NOT MATCHED THEN INSERT {columns} VALUES (v.repo_name, v.file_path, '', v.content_hash::bytea, 0)"
                )
            }
            _ => format!("UPDATE code_files SET size_bytes = 7 WHERE file_path LIKE '{} %'", self.name),
        };
        try_to_run(&mut self.connection, &sql).await?;
        *self.rows() = rows;
        Ok(())
    }

    /// Goes on with a transaction that is open, else begins one or writes without.
    async fn step(&mut self, random: &mut Random) {
        let done = match (below(random, 8), self.open.is_some()) {
            (0, false) => {
                let levels = ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"];
                let level = levels[usize::try_from(below(random, 3)).unwrap()];
                run(&mut self.connection, &format!("BEGIN ISOLATION LEVEL {level}; SAVEPOINT here")).await;
                self.open = Some((self.model.clone(), self.model.clone()));
                Ok(())
            }
            (0, true) => {
                run(&mut self.connection, "ROLLBACK TO here").await;
                self.open = self.open.take().map(|(_, before)| (before.clone(), before));
                Ok(())
            }
            (1, true) => {
                run(&mut self.connection, "RELEASE here; SAVEPOINT here").await;
                self.open = self.open.take().map(|(now, _)| (now.clone(), now));
                Ok(())
            }
            (2, true) => {
                run(&mut self.connection, "ROLLBACK").await;
                self.open = None;
                Ok(())
            }
            (3 | 4, true) => {
                let committed = try_to_run(&mut self.connection, "COMMIT").await;
                let open = self.open.take();
                committed.map(|()| self.model = open.unwrap().0)
            }
            _ => self.write(random).await,
        };
        if let Err(error) = done {
            assert!(is_conflict(&error), "{error}");
            run(&mut self.connection, "ROLLBACK").await;
            self.open = None;
        }
    }

    async fn end(&mut self) {
        if self.open.take().is_some() {
            run(&mut self.connection, "ROLLBACK").await;
        }
    }
}

/// What is due now and then, and what may happen.
async fn upkeep(database: &Database<'_>, connection: &mut PgConnection, writers: &mut [Writer], random: &mut Random) {
    match below(random, 12) {
        0 => {
            let url = database.url_text();
            tokio::task::spawn_blocking(move || migrations(&url, &["filters", "--rebuild"])).await.unwrap();
        }
        // So much that the next run folds it.
        1 => {
            run(
                connection,
                "INSERT INTO db_service.content_key_log (written_by, keys)
                 SELECT pg_current_xact_id(), string_agg(substr(sha256(g::text::bytea), 1, 8), '') FROM generate_series(1, 200000) g",
            )
            .await;
            let url = database.url_text();
            tokio::task::spawn_blocking(move || migrations(&url, &[])).await.unwrap();
        }
        2 => {
            for writer in writers.iter_mut() {
                writer.end().await;
                writer.model.clear();
            }
            run(connection, "TRUNCATE code_files").await;
        }
        // The connections of those who ask.
        _ => {
            let end = "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity
                       WHERE datname = current_database() AND application_name = 'filters'";
            run(connection, end).await;
        }
    }
}

/// Each with a memory of its own, as processes have.
fn filters(asking: &PgPool) -> Vec<KnownContents> {
    (0..3).map(|_| KnownContents::new(asking.clone(), Duration::ZERO)).collect()
}

/// Some contents, those that are stored among them; the answer is exact, and what is stored is not denied.
async fn ask(filter: &KnownContents, writers: &[Writer], random: &mut Random) -> Result<bool, String> {
    let stored: BTreeSet<u64> = writers.iter().flat_map(|writer| writer.model.values().copied()).collect();
    let asked: BTreeSet<u64> = stored.iter().copied().chain((0..5).map(|_| below(random, CONTENTS))).collect();
    let view = filter.view().await;
    if let Ok(view) = &view
        && let Some(content) = stored.iter().find(|content| !view.may_hold(&hash(**content)))
    {
        return Err(format!("content {content} is denied"));
    }
    // The exact question takes as long as three looks at the filter.
    if view.is_ok() && below(random, 4) > 0 {
        return Ok(true);
    }
    // Whoever was disconnected asks again.
    let mut known = filter.known(asked.iter().map(|content| hash(*content))).await;
    for _ in 0..3 {
        if known.is_err() {
            known = filter.known(asked.iter().map(|content| hash(*content))).await;
        }
    }
    let known = known.map_err(|error| error.to_string())?;
    let wrong = asked.iter().find(|content| known.contains(&hash(**content)) != stored.contains(content));
    wrong.map_or(Ok(view.is_ok()), |content| Err(format!("of content {content} the answer is wrong")))
}

fn no_filter_denies_what_is_committed(server: &TestServer) -> Verdict {
    let (steps, seed) = (number("TEST_STEPS", 20_000), number("TEST_SEED", 15));
    eprintln!("{steps} steps, seed {seed}");
    let database = Database::at(server, Stage::All);
    database.execute(&format!("ALTER DATABASE {} SET synchronous_commit = off", database.name));
    migrations(&database.url_text(), &["filters", "--on"]).succeeds();
    let mut random = Random::new(seed);
    let mut models = vec![Model::new(); 3];
    let every = (steps / RELAYOUTS.len() as u64).max(1);
    for (number, relayout) in RELAYOUTS.into_iter().enumerate() {
        block_on(async {
            let asking = pool(&database);
            let named = asking.connect_options().as_ref().clone().application_name("filters");
            asking.set_connect_options(named);
            let mut connection = ::database::connection::connect(&database.url).await.unwrap();
            let mut writers = Vec::new();
            for (name, model) in models.drain(..).enumerate() {
                let connection = ::database::connection::connect(&database.url).await.unwrap();
                writers.push(Writer { connection, name, model, open: None });
            }
            let filters = filters(&asking);
            let (mut by_filter, mut without) = (0_u64, 0_u64);
            for step in 0..every {
                match below(&mut random, 100) {
                    0..=39 => {
                        let writer = usize::try_from(below(&mut random, 3)).unwrap();
                        writers[writer].step(&mut random).await;
                    }
                    40 if below(&mut random, 20) == 0 => {
                        upkeep(&database, &mut connection, &mut writers, &mut random).await;
                    }
                    _ => {
                        let filter = &filters[usize::try_from(below(&mut random, 3)).unwrap()];
                        match ask(filter, &writers, &mut random).await {
                            Ok(true) => by_filter += 1,
                            Ok(false) => without += 1,
                            Err(wrong) => panic!("{wrong}: step {step} of {number}, seed {seed}"),
                        }
                    }
                }
            }
            // While the table is plain nothing is kept.
            assert!(number == 2 || without < 20 + by_filter / 50, "{by_filter} by the filter, {without} without");
            for mut writer in writers {
                writer.end().await;
                models.push(writer.model);
                writer.connection.close().await.unwrap();
            }
            connection.close().await.unwrap();
            asking.close().await;
        });
        migrations(&database.url_text(), relayout).succeeds();
        migrations(&database.url_text(), &[]);
    }
    Passed
}
