//! Building the keys and indexes of the new form: after the copy, leaves side by side on several connections.

use std::cell::Cell;

use sqlx::{AssertSqlSafe, PgConnection};

use super::ddl::{self, qualified};
use super::job::Job;
use super::workers;
use crate::{DatabaseUrl, Error};

/// What copying and index builds may use.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Connections that work side by side.
    pub jobs: usize,
    /// Memory of all index builds together, in megabytes. An HNSW graph that does not fit its share is built many times slower.
    pub megabytes: u32,
}

impl Budget {
    /// For a machine that others use as well: two connections, and half a gigabyte.
    pub const MODEST: Self = Self { jobs: 2, megabytes: 512 };
}

/// Builds what is missing of the indexes of all leaves, or of the plain table.
pub(crate) async fn build(
    url: &DatabaseUrl,
    own: &mut PgConnection,
    job: &Job,
    budget: Budget,
    progress: impl Fn(usize, usize),
) -> Result<(), Error> {
    let database = url.database().unwrap_or_default();
    let failed = |error| Error::sql(&format!("build the indexes of `{}`", job.table), database)(error);
    let statements = missing(own, job).await.map_err(failed)?;
    let total = statements.len();
    let jobs = budget.jobs.clamp(1, total.max(1));
    let settings = settings(budget, jobs);
    let done = Cell::new(0);
    let build = async |connection: &mut PgConnection, statement: String| {
        sqlx::raw_sql(AssertSqlSafe(settings.clone())).execute(&mut *connection).await?;
        // On a plain table a key waits until the other builder's index is done, and nobody else knows the table: patience
        // costs nobody anything. Both statements are one transaction.
        let statement = format!("SET LOCAL lock_timeout = 0; {statement}");
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *connection).await?;
        done.set(done.get() + 1);
        progress(done.get(), total);
        Ok(())
    };
    workers::work_off(url, own, jobs, statements, failed, build).await?;
    let reset = "RESET maintenance_work_mem; RESET max_parallel_maintenance_workers";
    sqlx::raw_sql(reset).execute(own).await.map(drop).map_err(failed)
}

fn settings(budget: Budget, jobs: usize) -> String {
    let share = budget.megabytes / u32::try_from(jobs).unwrap_or(u32::MAX);
    // One process a build: a parallel one would share its memory by a segment as large as the share, for which a
    // container's `/dev/shm` has no room.
    let workers = if jobs > 1 { "SET max_parallel_maintenance_workers = 0" } else { "" };
    format!("SET maintenance_work_mem = '{}MB'; {workers}", share.clamp(16, 64 * 1024))
}

/// Those that are not there yet: a build is a transaction of its own, so what is there is whole.
async fn missing(own: &mut PgConnection, job: &Job) -> Result<Vec<String>, sqlx::Error> {
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
    let missing = sqlx::query_file_scalar!("queries/missing_objects.sql", &names).fetch_all(own).await?;
    Ok(wanted.into_iter().filter(|(name, _)| missing.contains(name)).map(|(_, statement)| statement).collect())
}
