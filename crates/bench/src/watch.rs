//! Watching a database from outside: the phases of its jobs, and the sessions that wait for a lock.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use database::{DatabaseUrl, connection};

use crate::session;

/// Between two looks. What is shorter may be missed.
const PERIOD: Duration = Duration::from_millis(5);

/// Looks until it is told to stop.
pub(crate) struct Watcher {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<Seen, sqlx::Error>>,
}

/// What was seen, and when.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// When each table's job was first seen in each phase.
    phases: Vec<(String, String, Instant)>,
    /// A session, by its process, that waited for a lock.
    pub(crate) waits: Vec<(i32, Instant)>,
}

impl Watcher {
    pub(crate) fn start(url: &DatabaseUrl) -> Self {
        let (stop, url) = (Arc::new(AtomicBool::new(false)), url.clone());
        let told = stop.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(look(&url, &told))
        });
        Self { stop, thread }
    }

    pub(crate) fn finish(self) -> Result<Seen, sqlx::Error> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap_or_else(|_| Err(sqlx::Error::WorkerCrashed))
    }
}

async fn look(url: &DatabaseUrl, stop: &AtomicBool) -> Result<Seen, sqlx::Error> {
    let mut connection = session::connect(url).await?;
    let mut seen = Seen::default();
    let mut last_look = false;
    while !last_look {
        last_look = stop.load(Ordering::Relaxed);
        let waiting =
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        let waiting: Vec<i32> = sqlx::query_scalar(waiting).fetch_all(&mut connection).await?;
        seen.waits.extend(waiting.into_iter().map(|pid| (pid, Instant::now())));
        let journal = "SELECT to_regclass('db_service.relayout_job') IS NOT NULL";
        if sqlx::query_scalar(journal).fetch_one(&mut connection).await? {
            let jobs = "SELECT table_name, phase FROM db_service.relayout_job";
            let jobs: Vec<(String, String)> = sqlx::query_as(jobs).fetch_all(&mut connection).await?;
            for (table, phase) in jobs {
                if !seen.phases.iter().any(|(known, in_phase, _)| *known == table && *in_phase == phase) {
                    seen.phases.push((table, phase, Instant::now()));
                }
            }
        }
        tokio::time::sleep(PERIOD).await;
    }
    connection::close(connection).await;
    Ok(seen)
}

impl Seen {
    /// Each phase that was seen, and its duration.
    pub(crate) fn of_table(&self, table: &str) -> Vec<(String, Duration)> {
        let phases: Vec<_> = self.phases.iter().filter(|(known, ..)| known == table).collect();
        phases.windows(2).map(|pair| (pair[0].1.clone(), pair[1].2 - pair[0].2)).collect()
    }

    /// From a job's first phase to its swap, and to its end.
    pub(crate) fn durations(&self, table: &str) -> Option<(Duration, Duration)> {
        let of_table = || self.phases.iter().filter(|(known, ..)| known == table);
        let first = of_table().map(|(.., at)| *at).min()?;
        let after = ["swapped", "verified", "cleaned"];
        let swapped = of_table().filter(|(_, phase, _)| after.contains(&phase.as_str())).map(|(.., at)| *at).min()?;
        let last = of_table().map(|(.., at)| *at).max()?;
        Some((swapped - first, last - first))
    }
}
