//! Writers that do not stop while a table's layout is changed, and runs that are killed.

use std::io::Read as _;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ::database::{DatabaseUrl, connection};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::command;
use crate::database::Database;
use crate::random::Random;
use crate::twins::rows;

/// After each write: six writers without one take more than a core from what is tested, and several tests have six each.
const PAUSE: Duration = Duration::from_millis(40);

/// The same, where they have to be hard to keep up with.
const SHORT_PAUSE: Duration = Duration::from_millis(10);

/// What writers write to, and how much they leave to others.
#[derive(Clone, Copy)]
struct Habits {
    /// Number of rows that the tables were filled with.
    rows: u32,
    only_embeddings: bool,
    pause: Duration,
}

/// Six of them, two of each isolation level; they insert, update, delete and move rows until dropped.
pub(crate) struct Writers {
    stop: Arc<AtomicBool>,
    written: Arc<AtomicU64>,
    threads: Vec<JoinHandle<()>>,
}

impl Writers {
    /// Of both tables.
    pub(crate) fn start(url: &DatabaseUrl) -> Self {
        Self::with_habits(url, Habits { rows: rows(), only_embeddings: false, pause: PAUSE })
    }

    /// Of `embeddings` alone, which was filled with so many rows.
    pub(crate) fn start_on_embeddings(url: &DatabaseUrl, vectors: u32) -> Self {
        Self::with_habits(url, Habits { rows: vectors, only_embeddings: true, pause: SHORT_PAUSE })
    }

    /// The same; they never pause.
    pub(crate) fn start_restless(url: &DatabaseUrl, vectors: u32) -> Self {
        Self::with_habits(url, Habits { rows: vectors, only_embeddings: true, pause: Duration::ZERO })
    }

    fn with_habits(url: &DatabaseUrl, habits: Habits) -> Self {
        Self::writing(url, 6, habits.pause, async move |connection: &mut PgConnection, begin, random: &mut Random| {
            write_once(connection, begin, habits, random.next()).await
        })
    }

    /// So many of them, who do this again and again, each in transactions that it begins in its own way.
    pub(crate) fn writing<W>(url: &DatabaseUrl, count: u64, pause: Duration, write_once: W) -> Self
    where
        W: AsyncFn(&mut PgConnection, &'static str, &mut Random) -> Result<(), sqlx::Error> + Copy + Send + 'static,
    {
        let (stop, written) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let threads = (0..count)
            .map(|number| {
                let (url, stop, written) = (url.clone(), stop.clone(), written.clone());
                std::thread::spawn(move || command::block_on(write(&url, number, pause, write_once, &stop, &written)))
            })
            .collect();
        let writers = Self { stop, written, threads };
        // What follows happens beside them, however short it is.
        writers.wait_for(u64::try_from(writers.threads.len()).unwrap());
        writers
    }

    /// Waits until they have committed so many transactions.
    pub(crate) fn wait_for(&self, number: u64) {
        let patience = Instant::now() + Duration::from_mins(2);
        while self.written.load(Ordering::Relaxed) < number {
            assert!(Instant::now() < patience, "the writers had no turn");
            assert!(!self.threads.iter().any(JoinHandle::is_finished), "a writer has failed");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The number of transactions that they committed.
    pub(crate) fn finish(mut self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        for thread in std::mem::take(&mut self.threads) {
            thread.join().expect("a writer meets no error but those to retry on");
        }
        self.written.load(Ordering::Relaxed)
    }
}

async fn write(
    url: &DatabaseUrl,
    number: u64,
    pause: Duration,
    write_once: impl AsyncFn(&mut PgConnection, &'static str, &mut Random) -> Result<(), sqlx::Error>,
    stop: &AtomicBool,
    written: &AtomicU64,
) {
    let begin = [
        "BEGIN ISOLATION LEVEL READ COMMITTED",
        "BEGIN ISOLATION LEVEL REPEATABLE READ",
        "BEGIN ISOLATION LEVEL SERIALIZABLE",
    ][usize::try_from(number).unwrap() % 3];
    let mut connection = connection::connect(url).await.unwrap();
    let mut random = Random::new(number + 1);
    while !stop.load(Ordering::Relaxed) {
        match write_once(&mut connection, begin, &mut random).await {
            Ok(()) => {
                written.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => {
                let state = ::database::cause::sql_state(&error);
                assert!(matches!(state.as_deref(), Some("40001" | "40P01" | "23505")), "{error}");
            }
        }
        tokio::time::sleep(pause).await;
    }
    connection::close(connection).await;
}

/// The same change to a table and to its twin, in one transaction.
async fn write_once(
    connection: &mut PgConnection,
    begin: &'static str,
    habits: Habits,
    random: u64,
) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin_with(begin).await?;
    let number = random / 8 % u64::from(habits.rows) + 1;
    let (table, path) = if habits.only_embeddings || random.is_multiple_of(5) {
        ("embeddings", "path")
    } else {
        ("code_files", "file_path")
    };
    let fresh = random / 8 % 100_000;
    for schema in ["public", "twin"] {
        let relation = format!("{schema}.{table}");
        let statement = match (random / 100_000 % 4, table) {
            (0, "code_files") => format!(
                "INSERT INTO {relation} (repo_name, file_path, id, content, content_hash, size_bytes, inserted_at, updated_at)
                 VALUES ('repo{}', 'new{fresh}', {fresh}, 'new', sha256('x'), 3, 'epoch', 'epoch')
                 ON CONFLICT (repo_name, file_path) DO UPDATE SET content = excluded.content, size_bytes = {}",
                fresh % 40,
                random % 1000
            ),
            (0, _) => format!(
                "INSERT INTO {relation} (repo_name, path, id, model, content_hash, embedding, inserted_at)
                 VALUES ('repo{}', 'new{fresh}', {fresh}, 'm', sha256('x'), array_fill({fresh}::real, ARRAY[768])::public.vector, 'epoch')
                 ON CONFLICT (repo_name, path) DO UPDATE SET model = 'again'",
                fresh % 40
            ),
            (1, _) => format!(
                "UPDATE {relation} SET metadata = '{{\"n\": {}}}' WHERE repo_name = 'repo{}' AND {path} = 'file{number}'",
                random % 1000,
                number % 40
            ),
            (2, _) => format!("DELETE FROM {relation} WHERE repo_name = 'repo{}' AND {path} = 'file{number}'", number % 40),
            _ => format!(
                "UPDATE {relation} SET repo_name = 'repo{}' WHERE repo_name IN ('repo{}', 'repo{}') AND {path} = 'file{number}'",
                (number + random / 1000) % 40,
                number % 40,
                (number + 1) % 40
            ),
        };
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *transaction).await?;
    }
    transaction.commit().await
}

/// Starts the program and ends it by SIGKILL when `moment` says so.
pub(crate) fn killed(url: &str, arguments: &[&str], moment: impl FnOnce(&mut Child)) {
    let mut child = command::migrations_command(url, arguments).stderr(Stdio::piped()).spawn().unwrap();
    moment(&mut child);
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Starts the program and ends it by SIGKILL in a phase of a job.
pub(crate) fn killed_in(database: &Database<'_>, arguments: &[&str], phase: &str, committed: bool) {
    held_in(database, phase, committed, |seen| {
        killed(&database.runner_text(), arguments, |child| wait_for(database, child, phase, seen));
    });
}

/// Does something in which a job comes into a phase, and tells it by what that can be seen: as soon as the phase is there,
/// or just before the end of the transaction that leads into it. The journal itself holds the job up there until then, or for
/// long enough to be seen; the server ends what it holds up soon after the program has gone.
pub(crate) fn held_in(database: &Database<'_>, phase: &str, committed: bool, work: impl FnOnce(&str)) {
    let is_held = "EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep' AND query LIKE '%relayout_job%')";
    let (when, seen) = if committed {
        let is_begun = format!(
            "EXISTS (SELECT FROM db_service.relayout_job j, twin.held h WHERE j.phase = '{phase}' AND j.updated_at > h.since)"
        );
        (
            format!("BEFORE UPDATE ON db_service.relayout_job FOR EACH ROW WHEN (OLD.phase = '{phase}')"),
            format!("SELECT {is_held} OR {is_begun}"),
        )
    } else {
        (
            format!(
                "AFTER UPDATE ON db_service.relayout_job FOR EACH ROW WHEN (NEW.phase = '{phase}' AND OLD.phase <> NEW.phase)"
            ),
            format!("SELECT {is_held}"),
        )
    };
    database.execute(&format!(
        "CREATE SCHEMA IF NOT EXISTS twin;
         CREATE TABLE IF NOT EXISTS twin.held (since timestamptz);
         TRUNCATE twin.held;
         INSERT INTO twin.held VALUES (clock_timestamp());
         CREATE OR REPLACE FUNCTION twin.hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(10); RETURN NEW; END $$;
         CREATE TRIGGER hold {when} EXECUTE FUNCTION twin.hold()"
    ));
    work(&seen);
    // The server goes on for a moment with what it was given; then this gets its lock.
    database.execute("DROP TRIGGER hold ON db_service.relayout_job");
}

/// What is killed once a phase: before its beginning is committed, and as soon as it is. Of the last one only the former:
/// after it comes the next job, or nothing.
const KILLS: [(&str, bool); 15] = [
    ("shadow", false),
    ("shadow", true),
    ("capturing", false),
    ("capturing", true),
    ("backfilling", false),
    ("backfilling", true),
    ("indexing", false),
    ("indexing", true),
    ("catching_up", false),
    ("catching_up", true),
    ("swapped", false),
    ("swapped", true),
    ("verified", false),
    ("verified", true),
    ("cleaned", false),
];

/// Kills each job at every boundary of its phases: every rerun goes on from there, to be killed at the next one. The first
/// run has these arguments, the others none.
pub(crate) fn killed_in_every_phase(database: &Database<'_>, first: &[&str], jobs: usize) {
    let mut arguments = first;
    for (phase, committed) in KILLS.iter().copied().cycle().take(jobs * KILLS.len()) {
        killed_in(database, arguments, phase, committed);
        arguments = &[];
    }
}

fn wait_for(database: &Database<'_>, child: &mut Child, phase: &str, seen: &str) {
    let started = Instant::now();
    let is_seen = database.with(async |connection| {
        loop {
            let is_running = child.try_wait().unwrap().is_none();
            if sqlx::query_scalar(AssertSqlSafe(seen.to_owned())).fetch_one(&mut *connection).await.unwrap() {
                return true;
            }
            if !is_running || started.elapsed() > Duration::from_mins(30) {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
    if !is_seen {
        child.kill().unwrap();
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        panic!("phase {phase} was not seen\n{said}\n{}", situation(database));
    }
}

/// Jobs and sessions, for a test that fails.
pub(crate) fn situation(database: &Database<'_>) -> String {
    let jobs = database.column(
        "SELECT concat_ws(' ', table_name, phase, started_at, updated_at) FROM db_service.relayout_job ORDER BY id",
    );
    let sessions = database.column(
        "SELECT concat_ws(' ', pid, application_name, state, wait_event, now() - xact_start, age(backend_xmin), left(query, 100))
         FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
    format!("{jobs:#?}\n{sessions:#?}")
}
