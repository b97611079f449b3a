//! The rows that are searched, and what is searched for.

use corpus::load::Terms;
use corpus::{self, Source};
use database::{DatabaseUrl, connection};
use db_service::search::{self, Query, Scope};
use sqlx::PgPool;
use terminal::console::Console;

use crate::error::Error;
use crate::scratch::SetUp;
use crate::vector::Vector;
use crate::vector_index;

/// The database that it works in.
pub(super) const SCRATCH: &str = "singularity_bench_cache";

pub(super) struct Ground {
    pub(super) pool: PgPool,
    pub(super) url: DatabaseUrl,
    pub(super) vectors: i64,
    /// Across all repositories.
    pub(super) queries: Vec<Query>,
}

/// Searches that are made again and again.
const QUERIES: i64 = 40;

/// Loads a source, whose vectors are indexed by the codes alone: searches across take no other index.
pub(super) async fn lay(
    source: Source,
    url: &DatabaseUrl,
    set_up: SetUp<'_>,
    console: &Console,
) -> Result<Ground, Error> {
    let failed = |doing: &'static str| database::Error::sql(doing, SCRATCH);
    if !set_up(url, &["--layers=bootstrap,ecto"]) {
        return Err(Error::Failed("the scratch database could not be set up"));
    }
    let model = source.model_name().to_owned();
    let mut connection = connection::connect(url).await?;
    vector_index::take_off(&mut connection).await.map_err(failed("take the vector index off"))?;
    corpus::load(source, url, &Terms { jobs: 2, watcher: console }).await?;
    console.job("bench").announce("Building leaves and codes");
    if !set_up(url, &["--layers=sqlx"]) {
        return Err(Error::Failed("the performance layer could not be set up"));
    }
    let vectors = sqlx::query_scalar("SELECT count(*) FROM public.embeddings").fetch_one(&mut connection).await;
    // Each between two that are stored.
    let chosen: Vec<String> = sqlx::query_scalar(
        "WITH chosen AS (SELECT embedding, row_number() OVER (ORDER BY md5(path)) AS n FROM public.embeddings)
         SELECT (one.embedding + other.embedding)::text FROM chosen one JOIN chosen other ON other.n = one.n + 1
         ORDER BY one.n LIMIT $1",
    )
    .bind(QUERIES)
    .fetch_all(&mut connection)
    .await
    .map_err(failed("choose what to search for"))?;
    connection::close(connection).await;
    let queries = chosen.iter().filter_map(|text| Vector::read(text));
    let queries = queries.map(|vector| Query::new(vector.0, Scope::Everywhere).model(model.clone())).collect();
    let pool = search::pool(url, 16);
    Ok(Ground { pool, url: url.clone(), vectors: vectors.map_err(failed("count the vectors"))?, queries })
}
