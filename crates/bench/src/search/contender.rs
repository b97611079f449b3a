//! Who searches.

use std::time::{Duration, Instant};

use database::DatabaseUrl;
use sqlx::{AssertSqlSafe, PgConnection};

use crate::percentile::median;
use crate::session;
use crate::vector::Vector;

/// Rows that are wanted of every search.
pub(crate) const K: usize = 10;

/// Several with one `side` differ in how hard they try; one of them stands for it in the end.
#[derive(Clone, Debug)]
pub(crate) struct Contender {
    pub(crate) side: Side,
    /// How it searches.
    pub(crate) name: String,
    /// SQL that its session begins with.
    settings: String,
    /// Of one parameter, the vector; has the columns `repo_name`, `path`, `distance` and `way`.
    sql: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Side {
    /// The layer's functions.
    Ours,
    /// One table with one vector index, as Ecto leaves it, by whatever the planner takes.
    Flat,
    /// The same, by its vector index, which is read on past rows that do not qualify.
    Iterative,
    /// The same, with an index for this repository alone.
    Partial,
    /// The vector indexes of all leaves.
    Leaves,
    /// What somebody would write who knows the layer's tables, for this very case.
    ByHand,
}

impl Contender {
    pub(crate) fn new(side: Side, name: impl Into<String>, settings: impl Into<String>, sql: String) -> Self {
        Self { side, name: name.into(), settings: settings.into(), sql }
    }

    /// A call of one of the layer's functions.
    pub(crate) fn ours(call: &str) -> Self {
        let name = call.split('(').next().unwrap_or(call);
        Self::new(Side::Ours, name, "", format!("SELECT repo_name, path, distance, way FROM db_service.{call}"))
    }

    /// The nearest of a table's rows, by whatever the planner takes; a filter is read on for until there are enough.
    pub(crate) fn nearest(side: Side, table: &str, condition: &str, ef_search: u32) -> Self {
        let scan = if condition == "true" { "" } else { "; SET hnsw.iterative_scan = relaxed_order" };
        let index = if side == Side::Iterative {
            "; SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off"
        } else {
            ""
        };
        Self::new(
            side,
            format!("ef_search {ef_search}"),
            format!("SET hnsw.ef_search = {ef_search}{scan}{index}"),
            format!(
                "SELECT repo_name, path, embedding <=> $1 AS distance, '' AS way FROM {table}
                 WHERE {condition} ORDER BY embedding <=> $1 LIMIT {K}"
            ),
        )
    }

    /// Comparing all that qualify, whatever indexes there are.
    pub(crate) fn comparing_all(condition: &str) -> Self {
        let sql = format!(
            "SELECT repo_name, path, distance, '' AS way
             FROM (SELECT repo_name, path, embedding <=> $1 AS distance
                   FROM public.embeddings WHERE {condition}) e
             ORDER BY distance + 0 LIMIT {K}"
        );
        Self::new(Side::ByHand, "comparing all", "SET max_parallel_workers_per_gather = 0", sql)
    }

    pub(crate) async fn connect(&self, url: &DatabaseUrl) -> Result<PgConnection, sqlx::Error> {
        let mut connection = session::connect(url).await?;
        // Compiling a plan of sixteen leaves takes many times longer than running it: nobody who measures leaves it on.
        session::execute(&mut connection, &format!("SET jit = off; {}", self.settings)).await?;
        Ok(connection)
    }

    /// Distances, and the way by which they were found.
    pub(crate) async fn search(
        &self,
        connection: &mut PgConnection,
        vector: &Vector,
    ) -> Result<(Vec<f64>, String), sqlx::Error> {
        let rows: Vec<(String, String, f64, String)> =
            sqlx::query_as(AssertSqlSafe(self.sql.clone())).bind(vector.clone()).fetch_all(connection).await?;
        let way = rows.first().map(|(.., way)| way.clone()).unwrap_or_default();
        Ok((rows.into_iter().map(|(_, _, distance, _)| distance).collect(), way))
    }

    /// How long a search takes, of these vectors the middle one.
    pub(crate) async fn median(
        &self,
        connection: &mut PgConnection,
        vectors: &[Vector],
    ) -> Result<Duration, sqlx::Error> {
        let mut times = Vec::new();
        for vector in vectors {
            let started = Instant::now();
            self.search(connection, vector).await?;
            times.push(started.elapsed());
        }
        Ok(median(&mut times))
    }
}
