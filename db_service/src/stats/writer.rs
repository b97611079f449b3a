//! Writes measurements in batches.

use std::sync::Arc;
use std::time::{Duration, Instant};

use database::DatabaseUrl;
use database::cause::sql_state;
use database::retry::Backoff;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use sqlx::postgres::types::PgInterval;
use tokio::sync::mpsc::Receiver;
use tokio::time::{sleep, timeout_at};

use super::measurement::Measurement;
use super::options::Options;
use super::tally::{Counts, Tally};
use crate::interval::interval;

/// Takes what was recorded and writes it.
#[derive(Debug)]
pub struct Writer {
    receiver: Receiver<Measurement>,
    counts: Arc<Counts>,
    options: Options,
}

/// What becomes of a batch that was not written.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// The server is away or busy: the same again, later.
    Again,
    /// One of them cannot be stored: the others can.
    Halve,
    /// None can.
    Refused,
}

/// For a connection; then it counts as none.
const CONNECTING: Duration = Duration::from_secs(5);

/// Between two attempts.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// How long the last batches are tried for, when nobody records any more.
const LAST: Duration = Duration::from_secs(10);

impl Writer {
    pub(super) fn new(receiver: Receiver<Measurement>, counts: Arc<Counts>, options: Options) -> Self {
        Self { receiver, counts, options }
    }

    /// Until no recorder is left and the queue is empty; then what became of all of them. Takes one connection, once there is
    /// something to write. While the server is away, as many wait as the queue holds.
    pub async fn run(mut self, url: DatabaseUrl) -> Tally {
        let connect = PgPoolOptions::new().max_connections(1).acquire_timeout(CONNECTING);
        let pool = connect.connect_lazy_with(url.for_sqlx().application_name("singularity statistics"));
        let mut batch = Vec::with_capacity(self.options.batch);
        while self.fill(&mut batch).await {
            self.write(&pool, &batch).await;
            batch.clear();
        }
        pool.close().await;
        self.counts.tally()
    }

    /// What has come together; false when nothing will any more.
    async fn fill(&mut self, batch: &mut Vec<Measurement>) -> bool {
        let Some(first) = self.receiver.recv().await else { return false };
        batch.push(first);
        let until = tokio::time::Instant::now() + self.options.every;
        while batch.len() < self.options.batch {
            let room = self.options.batch - batch.len();
            match timeout_at(until, self.receiver.recv_many(batch, room)).await {
                Ok(1..) => {}
                Ok(0) | Err(_) => break,
            }
        }
        true
    }

    /// All that can be stored of them.
    async fn write(&self, pool: &PgPool, batch: &[Measurement]) {
        let mut backoff = Backoff::new(PAUSES.0, PAUSES.1);
        let mut last_since = None;
        let mut parts = vec![batch];
        while let Some(part) = parts.pop() {
            let Err(error) = insert(pool, part).await else {
                self.counts.written(part.len());
                continue;
            };
            match verdict(&error, part.len()) {
                Verdict::Again if self.is_given_up(&mut last_since) => self.counts.dropped(part.len()),
                Verdict::Again => {
                    parts.push(part);
                    sleep(backoff.pause()).await;
                }
                Verdict::Halve => {
                    let (one, other) = part.split_at(part.len() / 2);
                    parts.extend([other, one]);
                }
                Verdict::Refused => self.counts.refused(part.len()),
            }
            self.counts.failed(error);
        }
    }

    /// Whether nobody records any more, and has not for so long that the server will not come back in time.
    fn is_given_up(&self, since: &mut Option<Instant>) -> bool {
        self.receiver.is_closed() && since.get_or_insert_with(Instant::now).elapsed() > LAST
    }
}

async fn insert(pool: &PgPool, batch: &[Measurement]) -> Result<(), sqlx::Error> {
    // First, since it may take its time, which is no age of theirs.
    let mut connection = pool.acquire().await?;
    let ages: Vec<PgInterval> = batch.iter().map(|it| interval(it.at.elapsed())).collect();
    let types: Vec<String> = batch.iter().map(|it| it.query_type.to_string()).collect();
    let repositories: Vec<Option<String>> =
        batch.iter().map(|it| it.repository.as_deref().map(str::to_owned)).collect();
    let times: Vec<f64> = batch.iter().map(|it| it.took.as_secs_f64() * 1e3).collect();
    let rows: Vec<i32> = batch.iter().map(|it| i32::try_from(it.rows).unwrap_or(i32::MAX)).collect();
    let hits: Vec<bool> = batch.iter().map(|it| it.is_hit).collect();
    let write = sqlx::query_file!(
        "queries/stats_write.sql",
        &ages,
        &types,
        &repositories as &[Option<String>],
        &times,
        &rows,
        &hits
    );
    write.execute(&mut *connection).await.map(drop)
}

fn verdict(error: &sqlx::Error, rows: usize) -> Verdict {
    let Some(state) = sql_state(error) else {
        // No answer of the server's.
        return Verdict::Again;
    };
    match state.get(..2) {
        // Of a connection, a transaction, resources, an operator, the system.
        Some("08" | "25" | "40" | "53" | "55" | "57" | "58") => Verdict::Again,
        // Of data.
        Some("22" | "23" | "44") if rows > 1 => Verdict::Halve,
        _ => Verdict::Refused,
    }
}
