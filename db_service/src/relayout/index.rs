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
    let shares = Shares::new(budget, statements.iter().filter(|build| build.is_vector).count(), total);
    let done = Cell::new(0);
    let build = async |connection: &mut PgConnection, Build { statement, is_vector }: Build| {
        sqlx::raw_sql(AssertSqlSafe(shares.settings(is_vector))).execute(&mut *connection).await?;
        // On a plain table a key waits until the other builder's index is done, and nobody else knows the table: patience
        // costs nobody anything. Both statements are one transaction.
        let statement = format!("SET LOCAL lock_timeout = 0; {statement}");
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *connection).await?;
        done.set(done.get() + 1);
        progress(done.get(), total);
        Ok(())
    };
    workers::work_off(url, own, budget.jobs, statements, failed, build).await?;
    let reset = "RESET maintenance_work_mem; RESET max_parallel_maintenance_workers";
    sqlx::raw_sql(reset).execute(own).await.map(drop).map_err(failed)
}

/// Megabytes for one build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shares {
    vector: u32,
    other: u32,
    is_alone: bool,
}

impl Shares {
    /// The budget, divided among the builds that run at a time. Where fewer vector indexes are to be built than there are
    /// connections, as for a plain table, these get nearly all of it: only they are slow without.
    fn new(budget: Budget, vectors: usize, total: usize) -> Self {
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let jobs = number(budget.jobs.clamp(1, total.max(1)));
        let even = budget.megabytes / jobs;
        let (vector, other) = match number(vectors).min(jobs) {
            few if (1..jobs).contains(&few) => ((budget.megabytes - (jobs - few) * (even / 4)) / few, even / 4),
            _ => (even, even),
        };
        let within = |share: u32| share.clamp(16, 64 * 1024);
        Self { vector: within(vector), other: within(other), is_alone: jobs == 1 }
    }

    fn settings(self, is_vector: bool) -> String {
        // One process a build: a parallel one would share its memory by a segment as large as the share, for which a
        // container's `/dev/shm` has no room.
        let workers = if self.is_alone { "" } else { "SET max_parallel_maintenance_workers = 0" };
        format!("SET maintenance_work_mem = '{}MB'; {workers}", if is_vector { self.vector } else { self.other })
    }
}

struct Build {
    statement: String,
    is_vector: bool,
}

/// Those that are not there yet: a build is a transaction of its own, so what is there is whole.
async fn missing(own: &mut PgConnection, job: &Job) -> Result<Vec<Build>, sqlx::Error> {
    let schemas = job.target_schemas();
    // The slowest first, so that the last builder does not start one when all others are done.
    let indexes = job.definition.secondary_indexes().into_iter().flat_map(|index| {
        schemas.iter().map(move |schema| {
            let relation = qualified(schema, &job.table);
            let statement = ddl::create_index(&relation, false, index);
            (qualified(schema, &index.name), Build { statement, is_vector: index.is_vector() })
        })
    });
    let keys = job.definition.keys().flat_map(|key| {
        schemas.iter().map(move |schema| {
            let statement = ddl::add_constraint(&qualified(schema, &job.table), key);
            (qualified(schema, &key.name), Build { statement, is_vector: false })
        })
    });
    let wanted: Vec<(String, Build)> = indexes.chain(keys).collect();
    let names: Vec<String> = wanted.iter().map(|(name, _)| name.clone()).collect();
    let missing = sqlx::query_file_scalar!("queries/missing_objects.sql", &names).fetch_all(own).await?;
    Ok(wanted.into_iter().filter(|(name, _)| missing.contains(name)).map(|(_, build)| build).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lone_vector_index_gets_nearly_all_memory() {
        let budget = Budget { jobs: 2, megabytes: 512 };
        let shares = |vectors, total| {
            let Shares { vector, other, .. } = Shares::new(budget, vectors, total);
            (vector, other)
        };
        assert_eq!(shares(16, 64), (256, 256));
        assert_eq!(shares(1, 5), (448, 64));
        assert_eq!(shares(1, 1), (512, 512));
        assert_eq!(shares(0, 5), (256, 256));
    }
}
