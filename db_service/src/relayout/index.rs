//! Building the keys and indexes of the new form: after the copy, leaves side by side on several connections.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use sqlx::{AssertSqlSafe, PgConnection};
use tokio::task::JoinSet;

use super::ddl::{self, qualified};
use super::job::Job;
use crate::{DatabaseUrl, Error, connection};

/// What index builds may use.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Builds at a time; each has a connection of its own.
    pub jobs: usize,
    /// Memory of all builds together, in megabytes. An HNSW graph that does not fit its share is built many times slower.
    pub megabytes: u32,
}

impl Budget {
    /// For a machine that others use as well: two builds at a time in half a gigabyte.
    pub const MODEST: Self = Self { jobs: 2, megabytes: 512 };
}

/// Builds what is missing of the indexes of all leaves, or of the plain table.
pub(crate) async fn build(
    url: &DatabaseUrl,
    worker: &mut PgConnection,
    job: &Job,
    budget: Budget,
    progress: impl Fn(usize, usize),
) -> Result<(), Error> {
    let database = url.database().unwrap_or_default().to_owned();
    let failed = || Error::sql(&format!("build the indexes of `{}`", job.table), url.database().unwrap_or_default());
    let statements = missing(worker, job).await.map_err(failed())?;
    let total = statements.len();
    let jobs = budget.jobs.clamp(1, total.max(1));
    let queue = Arc::new(Mutex::new(statements));
    let done = Arc::new(Mutex::new(0));
    let mut builders = JoinSet::new();
    for _ in 1..jobs {
        let (url, queue, done, database) = (url.clone(), queue.clone(), done.clone(), database.clone());
        builders.spawn(async move {
            let mut connection = connection::connect(&url).await?;
            let failed = || Error::sql("build indexes", &database);
            connection::prepare_for_changes(&mut connection).await.map_err(failed())?;
            let outcome = work_off(&mut connection, &queue, &done, budget, jobs, |_| ()).await.map_err(failed());
            connection::close(connection).await;
            outcome
        });
    }
    let outcome = work_off(worker, &queue, &done, budget, jobs, |done| progress(done, total)).await.map_err(failed());
    while let Some(builder) = builders.join_next().await {
        builder.expect("a builder does not panic")?;
    }
    outcome
}

/// Those that are not there yet: a build is a transaction of its own, so what is there is whole.
async fn missing(worker: &mut PgConnection, job: &Job) -> Result<VecDeque<String>, sqlx::Error> {
    let schemas = job.target_schemas();
    // The slowest first, so that the last builder does not start one when all others are done.
    let indexes = job.definition.secondary_indexes().into_iter().flat_map(|index| {
        schemas.iter().map(move |schema| {
            let relation = qualified(schema, &job.table);
            (qualified(schema, &index.name), ddl::create_index(&relation, false, index))
        })
    });
    let keys = job.definition.keys().flat_map(|key| {
        schemas
            .iter()
            .map(move |schema| (qualified(schema, &key.name), ddl::add_constraint(&qualified(schema, &job.table), key)))
    });
    let wanted: Vec<(String, String)> = indexes.chain(keys).collect();
    let names: Vec<String> = wanted.iter().map(|(name, _)| name.clone()).collect();
    let missing = sqlx::query_file_scalar!("queries/missing_objects.sql", &names).fetch_all(worker).await?;
    Ok(wanted.into_iter().filter(|(name, _)| missing.contains(name)).map(|(_, statement)| statement).collect())
}

async fn work_off(
    connection: &mut PgConnection,
    queue: &Mutex<VecDeque<String>>,
    done: &Mutex<usize>,
    budget: Budget,
    jobs: usize,
    progress: impl Fn(usize),
) -> Result<(), sqlx::Error> {
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    let share = budget.megabytes / u32::try_from(jobs).unwrap_or(u32::MAX);
    // One process a build: a parallel one would share its memory by a segment as large as the share, for which a
    // container's `/dev/shm` has no room.
    let workers = if jobs > 1 { "SET max_parallel_maintenance_workers = 0" } else { "" };
    let settings = format!("SET maintenance_work_mem = '{}MB'; {workers}", share.clamp(16, 64 * 1024));
    sqlx::raw_sql(AssertSqlSafe(settings)).execute(&mut *connection).await?;
    while let Some(statement) = next() {
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *connection).await?;
        let finished = {
            let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
            *done += 1;
            *done
        };
        progress(finished);
    }
    sqlx::raw_sql("RESET maintenance_work_mem; RESET max_parallel_maintenance_workers")
        .execute(connection)
        .await
        .map(drop)
}
