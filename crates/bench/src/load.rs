//! Rows to convert, and writers that measure how long their transactions take meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use database::{DatabaseUrl, connection};
use sqlx::{AssertSqlSafe, PgConnection};

use crate::percentile::{median, percentile};
use crate::session;

/// Rows of both tables: repositories of very unequal size, files of 0.3 to 3 KB, vectors in clusters. Deterministic.
pub(crate) fn rows(files: u32, vectors: u32) -> [String; 2] {
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

/// A writer's transaction.
#[derive(Clone, Copy, Debug)]
struct Transaction {
    /// The server's process.
    pid: i32,
    begin: Instant,
    end: Instant,
}

/// Those of one table's writers.
#[derive(Debug, Default)]
pub(crate) struct Transactions(Vec<Transaction>);

/// What writers have noticed.
#[derive(Debug)]
pub(crate) struct Noticed {
    pub(crate) transactions: usize,
    /// From the first to the last.
    pub(crate) span: Duration,
    pub(crate) median: Duration,
    /// 99 of 100 took no longer.
    pub(crate) p99: Duration,
    pub(crate) longest: Duration,
    /// The time during which a transaction was under way that was seen waiting for a lock; where several were, once.
    pub(crate) blocked: Duration,
    /// The same for transactions that took longer than [`LONG`], for whatever reason.
    pub(crate) slow: Duration,
}

/// A transaction of one row that takes longer has waited for something: a lock, a processor, a disk.
pub(crate) const LONG: Duration = Duration::from_millis(50);

impl Transaction {
    fn took(&self) -> Duration {
        self.end - self.begin
    }
}

impl Transactions {
    /// `waits`: sessions that were seen waiting for a lock.
    pub(crate) fn noticed(mut self, waits: &[(i32, Instant)]) -> Noticed {
        self.0.sort_unstable_by_key(|transaction| transaction.begin);
        let has_waited =
            |it: &Transaction| waits.iter().any(|(pid, at)| *pid == it.pid && (it.begin..=it.end).contains(at));
        let mut durations: Vec<Duration> = self.0.iter().map(Transaction::took).collect();
        let median = median(&mut durations);
        Noticed {
            transactions: self.0.len(),
            span: self
                .0
                .iter()
                .map(|it| it.end)
                .max()
                .zip(self.0.first())
                .map_or(Duration::ZERO, |(end, first)| end - first.begin),
            median,
            p99: percentile(&durations, 99),
            longest: durations.last().copied().unwrap_or_default(),
            blocked: self.union(has_waited),
            slow: self.union(|it| it.took() > LONG),
        }
    }

    /// The time during which one of some transactions was under way. They are sorted by their beginnings.
    fn union(&self, wanted: impl Fn(&Transaction) -> bool) -> Duration {
        let (mut sum, mut until) = (Duration::ZERO, None::<Instant>);
        for it in self.0.iter().filter(|it| wanted(it)) {
            let from = until.map_or(it.begin, |until| until.max(it.begin));
            sum += it.end.saturating_duration_since(from);
            until = Some(until.map_or(it.end, |until| until.max(it.end)));
        }
        sum
    }
}

/// Writers of one table; they insert, update, delete and move rows until they are told to stop.
#[derive(Debug)]
pub(crate) struct Writers {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Result<Vec<Transaction>, sqlx::Error>>>,
}

impl Writers {
    pub(crate) fn start(url: &DatabaseUrl, table: &'static str, count: u32, rows: u32) -> Self {
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

    pub(crate) fn finish(self) -> Result<Transactions, sqlx::Error> {
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
    let mut connection = session::connect(url).await?;
    let pid = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut connection).await?;
    let mut transactions = Vec::new();
    let mut random = number + 1;
    while !stop.load(Ordering::Relaxed) {
        // xorshift64
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let begin = Instant::now();
        write_once(&mut connection, table, random, rows).await?;
        transactions.push(Transaction { pid, begin, end: Instant::now() });
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
        let transaction = |pid, begin, end| Transaction { pid, begin: at(begin), end: at(end) };
        let transactions =
            [transaction(1, 300, 400), transaction(1, 0, 100), transaction(2, 50, 150), transaction(1, 200, 201)];
        let noticed =
            Transactions(transactions.to_vec()).noticed(&[(1, at(20)), (2, at(60)), (3, at(350)), (1, at(500))]);
        assert_eq!(noticed.blocked, Duration::from_millis(150));
        assert_eq!(noticed.slow, Duration::from_millis(250));
        assert_eq!(noticed.longest, Duration::from_millis(100));
        assert_eq!(noticed.span, Duration::from_millis(400));
        assert_eq!(noticed.transactions, 4);
    }
}
