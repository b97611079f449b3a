//! Rows to convert, and writers that measure how long their transactions take meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use db_service::{DatabaseUrl, connection};
use sqlx::{AssertSqlSafe, PgConnection};

use super::median;

/// Rows of both tables: repositories of very unequal size, files of 0.3 to 3 KB, vectors in clusters. Deterministic.
pub(super) fn rows(files: u32, vectors: u32) -> [String; 2] {
    // The square of an even distribution: the first of 300 repositories gets 6 % of the rows, the last a hundredth of that.
    let repository = "'repo' || floor(300 * (g::bigint * 7919 % 100003 / 100003.0) ^ 2)::integer";
    [
        format!(
            "INSERT INTO code_files (repo_name, file_path, content, content_hash, size_bytes, language, metadata)
             SELECT {repository}, 'src/module' || g % 977 || '/file' || g || '.rs', repeat(md5(g::text), 10 + g % 90),
                    sha256(g::text::bytea), 32 * (10 + g % 90), (ARRAY['rust', 'elixir', 'go', 'c'])[1 + g % 4],
                    jsonb_build_object('loc', g % 5000, 'n', g % 100)
             FROM generate_series(1, {files}) g"
        ),
        // The vector index is built afterwards: row by row it would take most of the benchmark's time.
        format!(
            "DO $do$
             DECLARE dropped name; definition text;
             BEGIN
                 SELECT x.relname, pg_get_indexdef(x.oid) INTO STRICT dropped, definition
                 FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am m ON m.oid = x.relam AND m.amname = 'hnsw'
                 WHERE i.indrelid = 'embeddings'::regclass;
                 EXECUTE format('DROP INDEX %I', dropped);
                 INSERT INTO embeddings (repo_name, path, model, content_hash, embedding)
                 SELECT {repository}, 'src/file' || g || '.rs', 'bench', sha256(g::text::bytea),
                        (SELECT array_agg(sin(g % 97 * i + i) + 0.3 * sin(g::double precision * i * i))
                         FROM generate_series(1, 768) i)::public.vector
                 FROM generate_series(1, {vectors}) g;
                 SET LOCAL maintenance_work_mem = '512MB';
                 EXECUTE definition;
             END $do$"
        ),
    ]
}

/// When a transaction began, and how long it took.
type Transaction = (Instant, Duration);

/// Those of one table's writers.
#[derive(Debug, Default)]
pub(super) struct Transactions(Vec<Transaction>);

/// What writers have noticed.
#[derive(Debug)]
pub(super) struct Noticed {
    pub(super) transactions: usize,
    pub(super) median: Duration,
    pub(super) longest: Duration,
    /// The time during which a transaction was under way that took longer than [`LONG`]; where several were, once.
    pub(super) blocked: Duration,
}

/// A transaction of one row that takes longer has waited for something.
pub(super) const LONG: Duration = Duration::from_millis(50);

impl Transactions {
    pub(super) fn noticed(mut self) -> Noticed {
        self.0.sort_unstable();
        let (mut blocked, mut until) = (Duration::ZERO, None::<Instant>);
        for (begin, took) in self.0.iter().filter(|(_, took)| *took > LONG) {
            let end = *begin + *took;
            let from = until.map_or(*begin, |until| until.max(*begin));
            blocked += end.saturating_duration_since(from);
            until = Some(until.map_or(end, |until| until.max(end)));
        }
        let mut durations: Vec<Duration> = self.0.iter().map(|(_, took)| *took).collect();
        let longest = durations.iter().max().copied().unwrap_or_default();
        Noticed { transactions: self.0.len(), median: median(&mut durations), longest, blocked }
    }
}

/// Writers of one table; they insert, update, delete and move rows until they are told to stop.
#[derive(Debug)]
pub(super) struct Writers {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Result<Vec<Transaction>, sqlx::Error>>>,
}

impl Writers {
    pub(super) fn start(url: &DatabaseUrl, table: &'static str, count: u32, rows: u32) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let threads = (0..count)
            .map(|number| {
                let (url, stop) = (url.clone(), stop.clone());
                std::thread::spawn(move || {
                    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
                    runtime.block_on(write(&url, table, u64::from(number), u64::from(rows), &stop))
                })
            })
            .collect();
        Self { stop, threads }
    }

    pub(super) fn finish(self) -> Result<Transactions, sqlx::Error> {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Vec::new();
        for thread in self.threads {
            all.extend(thread.join().unwrap_or_else(|_| Err(sqlx::Error::WorkerCrashed))?);
        }
        Ok(Transactions(all))
    }
}

/// Each writer's pause after a transaction.
const PAUSE: Duration = Duration::from_millis(10);

async fn write(
    url: &DatabaseUrl,
    table: &str,
    number: u64,
    rows: u64,
    stop: &AtomicBool,
) -> Result<Vec<Transaction>, sqlx::Error> {
    let mut connection = connection::connect(url).await.map_err(|error| sqlx::Error::Configuration(error.into()))?;
    let mut transactions = Vec::new();
    let mut random = number + 1;
    while !stop.load(Ordering::Relaxed) {
        // xorshift64
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let begin = Instant::now();
        write_once(&mut connection, table, random, rows).await?;
        transactions.push((begin, begin.elapsed()));
        tokio::time::sleep(PAUSE).await;
    }
    connection::close(connection).await;
    Ok(transactions)
}

async fn write_once(connection: &mut PgConnection, table: &str, random: u64, rows: u64) -> Result<(), sqlx::Error> {
    let id = random / 8 % rows + 1;
    let (path, insert) = match table {
        "code_files" => (
            "file_path",
            "(repo_name, file_path, content, content_hash, size_bytes) VALUES ('repo1', $1, $1, sha256('x'), 1)",
        ),
        _ => (
            "path",
            "(repo_name, path, model, content_hash, embedding) SELECT 'repo1', $1, 'bench', sha256('x'), embedding FROM embeddings WHERE id = 1",
        ),
    };
    let text = match random % 4 {
        0 => format!(
            "INSERT INTO {table} {insert} ON CONFLICT (repo_name, {path}) DO UPDATE SET content_hash = sha256('y')"
        ),
        1 => format!("UPDATE {table} SET content_hash = sha256($1::text::bytea) WHERE id = {id}"),
        2 => format!("DELETE FROM {table} WHERE id = {id} AND $1::text IS NOT NULL"),
        _ => format!(
            "UPDATE {table} SET repo_name = 'repo' || {} WHERE id = {id} AND $1::text IS NOT NULL",
            random / 99 % 300
        ),
    };
    let name = format!("new/file{}.rs", random / 8);
    sqlx::query(AssertSqlSafe(text)).bind(name).execute(connection).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_that_wait_at_once_are_blocked_once() {
        let start = Instant::now();
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        let noticed = Transactions(vec![
            (at(300), Duration::from_millis(100)),
            (at(0), Duration::from_millis(100)),
            (at(50), Duration::from_millis(100)),
            (at(200), Duration::from_millis(1)),
        ])
        .noticed();
        assert_eq!(noticed.blocked, Duration::from_millis(250));
        assert_eq!(noticed.longest, Duration::from_millis(100));
        assert_eq!(noticed.transactions, 4);
    }
}
