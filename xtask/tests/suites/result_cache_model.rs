//! Whatever is written, and however: once it is committed, no cache answers with what was there before.

use std::collections::BTreeSet;
use std::time::Duration;

use db_service::cache::{self, Cache, Options};
use futures_util::future::join;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool};
use tokio::sync::Notify;

use crate::Verdict::{self, Passed};
use crate::command::{block_on, migrations};
use crate::database::{Database, Stage};
use crate::random::Random;
use crate::result_cache::{ALWAYS, about, files, pool};
use crate::server::TestServer;
use crate::versions::INSERT;

crate::tests![no_answer_is_older_than_the_last_commit];

/// `TEST_STEPS` and `TEST_SEED` make it another run.
pub(crate) fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

/// Keys of the rows.
type Model = BTreeSet<(String, String)>;

/// What is computed of a repository.
fn expected(model: &Model, repository: &str) -> String {
    let paths = model.iter().filter(|(name, _)| name == repository).map(|(_, path)| path.as_str());
    paths.collect::<Vec<_>>().join(" ")
}

async fn run(connection: &mut PgConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(connection)
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
}

pub(crate) fn below(random: &mut Random, most: u64) -> u64 {
    random.next() % most
}

/// Changes some rows, and the model as well.
async fn change(connection: &mut PgConnection, model: &mut Model, random: &mut Random) {
    let (name, path) = (format!("r{}", below(random, 4)), format!("p{}", below(random, 6)));
    let key = (name.clone(), path.clone());
    let at = format!("WHERE repo_name = '{name}' AND file_path = '{path}'");
    let is_there = model.contains(&key);
    let sql = match below(random, 9) {
        0..=2 => {
            model.insert(key);
            format!(
                "{INSERT} ('{name}', '{path}', '', sha256('x'), 0)
                 ON CONFLICT (repo_name, file_path) DO UPDATE SET content = 'y'"
            )
        }
        3 => {
            model.remove(&key);
            format!("DELETE FROM code_files {at}")
        }
        4 if is_there => {
            // To another repository, and with it to another leaf.
            let other = (format!("r{}", below(random, 4)), path);
            if model.contains(&other) {
                return;
            }
            model.remove(&key);
            let sql = format!("UPDATE code_files SET repo_name = '{}' {at}", other.0);
            model.insert(other);
            sql
        }
        5 if is_there => {
            let leaf = format!("SELECT tableoid::regclass::text FROM code_files {at}");
            let leaf: String = sqlx::query_scalar(AssertSqlSafe(leaf)).fetch_one(&mut *connection).await.unwrap();
            model.remove(&key);
            format!("DELETE FROM {leaf} {at}")
        }
        6 if !is_there => {
            model.insert(key);
            let columns = "COPY code_files (repo_name, file_path, content, content_hash, size_bytes) FROM STDIN";
            let mut copy = connection.copy_in_raw(columns).await.unwrap();
            let row = format!("{name}\t{path}\t\t\\\\x{}\t0\n", "00".repeat(32));
            copy.send(row.as_bytes()).await.unwrap();
            copy.finish().await.unwrap();
            return;
        }
        7 if below(random, 20) == 0 => {
            model.clear();
            "TRUNCATE code_files".to_owned()
        }
        _ => format!("UPDATE code_files SET content = 'z' WHERE repo_name = '{name}'"),
    };
    run(connection, &sql).await;
}

/// Several changes in one transaction, some of them taken back, perhaps all.
async fn transaction(connection: &mut PgConnection, model: &mut Model, random: &mut Random) {
    let isolation = ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"][usize::try_from(below(random, 3)).unwrap()];
    run(connection, &format!("BEGIN ISOLATION LEVEL {isolation}")).await;
    let mut changed = model.clone();
    change(connection, &mut changed, random).await;
    run(connection, "SAVEPOINT here").await;
    let before = changed.clone();
    change(connection, &mut changed, random).await;
    if below(random, 2) == 0 {
        run(connection, "ROLLBACK TO here").await;
        changed = before;
    }
    change(connection, &mut changed, random).await;
    if below(random, 3) == 0 {
        run(connection, "ROLLBACK").await;
    } else {
        run(connection, "COMMIT").await;
        *model = changed;
    }
}

/// What is due now and then, and what may happen.
async fn upkeep(connection: &mut PgConnection, random: &mut Random) {
    let sql = match below(random, 4) {
        0 | 1 => "SELECT db_service.fold_versions(1000)",
        2 => "SELECT db_service.cache_rotate()",
        // The caches' connections, in the midst of whatever they do.
        _ => {
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'singularity cache'"
        }
    };
    run(connection, sql).await;
}

/// Changes rows after a computation has read them, and before its result is stored. Where the cache has an answer, nobody computes.
async fn during_a_computation(
    cache: &Cache<String>,
    pool: &PgPool,
    repository: &str,
    writing: impl Future<Output = ()>,
) {
    let (has_read, may_end) = (Notify::new(), Notify::new());
    let computed = cache.get(about(repository), async || {
        let before = files(pool, repository).await;
        has_read.notify_one();
        may_end.notified().await;
        before
    });
    let changed = async {
        let _ = tokio::time::timeout(Duration::from_millis(3), has_read.notified()).await;
        writing.await;
        may_end.notify_one();
    };
    join(computed, changed).await.0.unwrap();
}

/// The layouts of the table, in turn.
pub(crate) const RELAYOUTS: [&[&str]; 4] = [
    &["split", "--table", "code_files", "--leaf", "16/3", "--yes"],
    &["revert", "--table", "code_files", "--yes"],
    &["layout", "--table", "code_files", "--leaves", "4", "--yes"],
    &["layout", "--table", "code_files", "--leaves", "16", "--yes"],
];

/// Three caches, each with a memory of its own, as three processes have.
fn caches(pool: &PgPool) -> [Cache<String>; 3] {
    // The smallest forgets all the time, so that much is found in the database.
    [1 << 20, 1 << 16, 1 << 10].map(|bytes| Cache::new(pool.clone(), Options { bytes, ..ALWAYS }))
}

fn no_answer_is_older_than_the_last_commit(server: &TestServer) -> Verdict {
    let (steps, seed) = (number("TEST_STEPS", 50_000), number("TEST_SEED", 15));
    eprintln!("{steps} steps, seed {seed}");
    let database = Database::at(server, Stage::All);
    // The order in which commits are seen is the same.
    database.execute(&format!("ALTER DATABASE {} SET synchronous_commit = off", database.name));
    let (mut random, mut model) = (Random::new(seed), Model::new());
    let every = (steps / RELAYOUTS.len() as u64).max(1);
    for (number, relayout) in RELAYOUTS.into_iter().enumerate() {
        block_on(async {
            let theirs = pool(&database);
            let ours = cache::pool(&database.url, 4);
            let caches = caches(&ours);
            let mut connection = ::database::connection::connect(&database.url).await.unwrap();
            for step in 0..every {
                match below(&mut random, 100) {
                    0..=5 => change(&mut connection, &mut model, &mut random).await,
                    6..=7 => transaction(&mut connection, &mut model, &mut random).await,
                    8 if below(&mut random, 10) == 0 => upkeep(&mut connection, &mut random).await,
                    9 => {
                        let cache = &caches[usize::try_from(below(&mut random, 3)).unwrap()];
                        let repository = format!("r{}", below(&mut random, 4));
                        let changes = change(&mut connection, &mut model, &mut random);
                        during_a_computation(cache, &theirs, &repository, changes).await;
                    }
                    _ => {
                        let cache = &caches[usize::try_from(below(&mut random, 3)).unwrap()];
                        let repository = format!("r{}", below(&mut random, 4));
                        let compute = async || files(&theirs, &repository).await;
                        let answer = cache.get(about(&repository), compute).await.unwrap();
                        let wanted = expected(&model, &repository);
                        assert_eq!(
                            *answer.value, wanted,
                            "step {step} of {number}, from {}, seed {seed}",
                            answer.origin
                        );
                    }
                }
            }
            let tallies = caches.each_ref().map(Cache::tally);
            // While the table is plain nothing is kept.
            assert!(number == 2 || tallies.iter().all(|it| it.memory > it.tables / 100), "{tallies:?}");
            connection.close().await.unwrap();
            ours.close().await;
            theirs.close().await;
        });
        migrations(&database.url_text(), relayout).succeeds();
    }
    Passed
}
