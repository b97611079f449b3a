//! The rows that are searched, in the layer's tables and as somebody has them who uses pgvector alone.

use corpus::Source;
use corpus::load::Terms;
use database::quote::literal;
use database::{DatabaseUrl, connection};
use db_service::sizing;
use db_service::subject::codes::Form;
use sqlx::PgConnection;
use terminal::console::Console;

use crate::error::Error;
use crate::scratch::SetUp;
use crate::session;
use crate::vector::Vector;
use crate::vector_index;

/// The database that all of it is in.
pub(super) const SCRATCH: &str = "singularity_bench_search";

#[derive(Clone, Debug)]
pub(crate) struct Ground {
    pub(crate) model: String,
    pub(crate) rows: i64,
    pub(crate) repositories: i64,
    pub(crate) large: Repository,
    pub(crate) middle: Repository,
    pub(crate) small: Repository,
    /// Vectors of chunks that are in no table.
    pub(crate) queries: Vec<Vector>,
    /// What `balanced` means in a leaf.
    pub(crate) of_leaf: Setting,
    /// What it means for codes in half precision.
    pub(crate) of_codes: Setting,
    /// VectorChord is installed.
    pub(crate) has_vchord: bool,
    /// Of everything that is compared.
    pub(crate) bytes: i64,
    /// Of the server's own memory for pages.
    pub(crate) buffers: i64,
}

#[derive(Clone, Debug)]
pub(crate) struct Repository {
    pub(crate) name: String,
    pub(crate) rows: i64,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    pub(crate) ef_search: u32,
    pub(crate) more: u32,
}

/// Searches that settings are found by.
const CALIBRATED_BY: u32 = 100;

/// As many chunks as are to be searched for, evenly from all, and out of the table with what was made from them.
const HOLD_OUT: &str = "WITH chosen AS (
        SELECT repo_name, path, embedding FROM public.embeddings WHERE path !~ '~[0-9]+$'
        ORDER BY md5(repo_name || path) LIMIT $1
    ), gone AS (
        DELETE FROM public.embeddings e USING chosen c
        WHERE e.repo_name = c.repo_name AND (e.path = c.path OR regexp_replace(e.path, '#?~[0-9]+$', '') = c.path)
    )
    SELECT embedding::text FROM chosen";

/// Marks for filters, spread over all repositories.
const MARKS: &str =
    "WITH numbered AS (SELECT id, row_number() OVER (ORDER BY md5(id::text)) AS n FROM public.embeddings)
    UPDATE public.embeddings e SET metadata = jsonb_strip_nulls(jsonb_build_object(
        'a_hundredth', CASE WHEN n % 100 = 0 THEN true END,
        'a_thousandth', CASE WHEN n % 1000 = 0 THEN true END,
        'ten_rows', CASE WHEN n <= 10 THEN true END))
    FROM numbered WHERE numbered.id = e.id AND (n % 100 = 0 OR n <= 10)";

impl Ground {
    /// Loads a source and builds everything that is compared.
    pub(crate) async fn lay(
        source: Source,
        queries: u16,
        url: &DatabaseUrl,
        set_up: SetUp<'_>,
        console: &Console,
    ) -> Result<Self, Error> {
        let failed = |doing: &'static str| database::Error::sql(doing, SCRATCH);
        if !set_up(url, &["--layers=bootstrap,ecto"]) {
            return Err(Error::Failed("the scratch database could not be set up"));
        }
        let model = source.model_name().to_owned();
        let mut connection = connection::connect(url).await?;
        let (name, definition) =
            vector_index::take_off(&mut connection).await.map_err(failed("take the vector index off"))?;
        corpus::load(source, url, &Terms { jobs: 2, watcher: console }).await?;
        let job = console.job("bench");
        job.announce("Preparing what is compared");
        let queries: Vec<String> = sqlx::query_scalar(HOLD_OUT)
            .bind(i64::from(queries))
            .fetch_all(&mut connection)
            .await
            .map_err(failed("choose what to search for"))?;
        let queries: Vec<Vector> = queries.iter().filter_map(|text| Vector::read(text)).collect();
        session::execute(&mut connection, MARKS).await.map_err(failed("mark rows for filters"))?;
        let sizes = sizes(&mut connection).await.map_err(failed("count the rows"))?;
        let [large, middle, small] = chosen(&sizes).ok_or(Error::Failed("the source has no vectors"))?;
        job.announce("Building one table with one vector index");
        let rows = sizes.iter().map(|it| it.rows).sum();
        let peers = peers(&name, &definition, rows, &[&large, &middle, &small]);
        session::execute(&mut connection, &peers).await.map_err(failed("build the peers"))?;
        job.announce("Building leaves and codes");
        if !set_up_performance(url, rows, set_up) {
            return Err(Error::Failed("the performance layer could not be set up"));
        }
        let memory = build_megabytes(rows);
        let indexes = format!("SET maintenance_work_mem = '{memory}MB'; {definition}; ANALYZE public.embeddings");
        session::execute(&mut connection, &indexes).await.map_err(failed("build the vector indexes of the leaves"))?;
        for statement in ["VACUUM", "CHECKPOINT"] {
            session::execute(&mut connection, statement).await.map_err(failed("write to disk"))?;
        }
        calibrate(&mut connection, console).await?;
        let of_leaf = setting(&mut connection, "hnsw").await.map_err(failed("read the settings"))?;
        let of_codes = setting(&mut connection, "halfvec").await.map_err(failed("read the settings"))?;
        let has_vchord = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_am WHERE amname = 'vchordrq')");
        let has_vchord = has_vchord.fetch_one(&mut connection).await.map_err(failed("look for VectorChord"))?;
        let memory = "SELECT pg_database_size(current_database()), pg_size_bytes(current_setting('shared_buffers'))";
        let (bytes, buffers) =
            sqlx::query_as(memory).fetch_one(&mut connection).await.map_err(failed("read how much memory there is"))?;
        connection::close(connection).await;
        Ok(Self {
            model,
            rows,
            repositories: i64::try_from(sizes.len()).unwrap_or(i64::MAX),
            large,
            middle,
            small,
            queries,
            of_leaf,
            of_codes,
            has_vchord,
            bytes,
            buffers,
        })
    }

    /// What keeps times from being those of data in memory.
    pub(crate) fn note(&self) -> Option<String> {
        let megabytes = |bytes: i64| bytes >> 20;
        (self.bytes > self.buffers).then(|| {
            format!(
                "the database has {} MB and `shared_buffers` {}: pages come from the system's cache, which costs every side; \
                 set it higher to measure with all data in memory",
                megabytes(self.bytes),
                megabytes(self.buffers)
            )
        })
    }
}

/// Brings the codes into another form, if they are not in it.
pub(crate) async fn switch(
    url: &DatabaseUrl,
    form: &str,
    rows: i64,
    set_up: SetUp<'_>,
    console: &Console,
) -> Result<(), Error> {
    let mut connection = connection::connect(url).await?;
    let declare = "UPDATE db_service.codes SET form = $1 WHERE form <> $1";
    let declared = sqlx::query(declare).bind(form).execute(&mut connection).await;
    let declared = declared.map_err(database::Error::sql("declare the form of the codes", SCRATCH))?;
    if declared.rows_affected() > 0 {
        if !set_up_performance(url, rows, set_up) {
            return Err(Error::Failed("the codes could not be brought into another form"));
        }
        calibrate(&mut connection, console).await?;
    }
    connection::close(connection).await;
    Ok(())
}

/// Sets the performance layer up with the memory that its indexes take.
fn set_up_performance(url: &DatabaseUrl, rows: i64, set_up: SetUp<'_>) -> bool {
    set_up(url, &["--layers=sqlx", &format!("--index-memory={}", build_megabytes(rows))])
}

/// What the largest graph that is built takes, for all sides: where less is there, it is built many times slower.
fn build_megabytes(rows: i64) -> u64 {
    let rows = rows.unsigned_abs();
    let largest = sizing::leaf_build_memory(rows).max(sizing::codes_build_memory(rows, Form::Halfvec));
    (largest >> 20).max(1024)
}

/// As its user would, so that each side tries as hard as these rows take.
async fn calibrate(connection: &mut PgConnection, console: &Console) -> Result<(), Error> {
    db_service::search::calibrate(connection, CALIBRATED_BY, console).await.map(drop).map_err(Error::from)
}

/// Of the index of the codes, by vector.
pub(crate) async fn index_bytes(connection: &mut PgConnection) -> Result<f64, sqlx::Error> {
    let bytes = "SELECT sum(pg_relation_size(i.indexrelid))::float8
            / greatest((SELECT count(*) FROM db_service.embedding_codes), 1)
        FROM pg_index i WHERE i.indrelid = 'db_service.embedding_codes'::regclass AND NOT i.indisprimary";
    sqlx::query_scalar(bytes).fetch_one(connection).await
}

async fn sizes(connection: &mut PgConnection) -> Result<Vec<Repository>, sqlx::Error> {
    let sizes: Vec<(String, i64)> =
        sqlx::query_as("SELECT repo_name, count(*) FROM public.embeddings GROUP BY 1 ORDER BY 2 DESC, 1")
            .fetch_all(connection)
            .await?;
    Ok(sizes.into_iter().map(|(name, rows)| Repository { name, rows }).collect())
}

/// The largest; the one nearest to a hundredth of all rows; the first that has no more than twenty.
fn chosen(sizes: &[Repository]) -> Option<[Repository; 3]> {
    let all: i64 = sizes.iter().map(|it| it.rows).sum();
    let middle = sizes.iter().skip(1).min_by_key(|it| (it.rows - all / 100).abs()).or(sizes.first())?;
    let small = sizes.iter().find(|it| it.rows <= 20).or(sizes.last())?;
    Some([sizes.first()?.clone(), middle.clone(), small.clone()])
}

/// With the keys and indexes that Ecto's table has, and its storage.
fn peers(name: &str, definition: &str, rows: i64, repositories: &[&Repository]) -> String {
    let flat = definition.replace(" ON public.embeddings ", " ON peer.flat ").replace(name, "flat_vectors");
    let memory = build_megabytes(rows);
    let partial = repositories.iter().enumerate().map(|(number, repository)| {
        format!(
            "{} WHERE repo_name = {};\n",
            definition
                .replace(" ON public.embeddings ", " ON peer.partial ")
                .replace(name, &format!("partial_vectors_{number}")),
            literal(&repository.name)
        )
    });
    let partial: String = partial.collect();
    format!(
        "CREATE SCHEMA peer;
         CREATE TABLE peer.flat (LIKE public.embeddings INCLUDING ALL);
         CREATE TABLE peer.partial (LIKE public.embeddings INCLUDING ALL);
         INSERT INTO peer.flat SELECT * FROM public.embeddings;
         INSERT INTO peer.partial SELECT * FROM public.embeddings;
         SET maintenance_work_mem = '{memory}MB';
         {flat};
         {partial}
         ANALYZE peer.flat, peer.partial"
    )
}

async fn setting(connection: &mut PgConnection, way: &str) -> Result<Setting, sqlx::Error> {
    let setting = "SELECT ef_search, more FROM db_service.search_setting WHERE way = $1 AND recall = 'balanced'";
    let (ef_search, more): (i32, i32) = sqlx::query_as(setting).bind(way).fetch_one(connection).await?;
    Ok(Setting { ef_search: ef_search.unsigned_abs(), more: more.unsigned_abs() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_of_three_sizes_are_chosen() {
        let sizes = [500, 300, 9, 20, 3].map(|rows| Repository { name: format!("of{rows}"), rows });
        let names = chosen(&sizes).unwrap().map(|it| it.name);
        assert_eq!(names, ["of500", "of9", "of9"]);
        assert!(chosen(&[]).is_none());
        assert_eq!(chosen(&sizes[..1]).unwrap().map(|it| it.rows), [500; 3]);
    }
}
