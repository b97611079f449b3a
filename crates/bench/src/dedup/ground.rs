//! The rows that are asked for.

use database::{DatabaseUrl, connection};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use crate::error::Error;
use crate::scratch::SetUp;
use crate::session;

/// The database that it works in.
pub(super) const SCRATCH: &str = "singularity_bench_dedup";

/// The repository that is indexed once more, and how many files it has.
pub(super) const REPOSITORY: &str = "indexed";
pub(super) const FILES: u32 = 10_000;

/// Of each content only the hash counts; beside that repository there are so many rows, in a hundred others.
pub(super) async fn lay(rows: u32, url: &DatabaseUrl, set_up: SetUp<'_>) -> Result<PgPool, Error> {
    let failed = |doing: &'static str| database::Error::sql(doing, SCRATCH);
    let set = |what: &'static str| move |done: bool| if done { Ok(()) } else { Err(Error::Failed(what)) };
    set("the scratch database could not be set up")(set_up(url, &[]))?;
    let mut connection = connection::connect(url).await?;
    let insert = format!(
        "INSERT INTO public.code_files (repo_name, file_path, content, content_hash, size_bytes)
         SELECT 'repository' || g % 100, 'src/file' || g || '.rs', '', sha256(convert_to(g::text, 'UTF8')), 0 FROM generate_series(1, {rows}) g;
         INSERT INTO public.code_files (repo_name, file_path, content, content_hash, size_bytes)
         SELECT '{REPOSITORY}', 'src/file' || g || '.rs', '', sha256(convert_to(g::text, 'UTF8')), 0 FROM generate_series(1, {FILES}) g;
         SELECT db_service.keep_content_filter(true)"
    );
    session::execute(&mut connection, &insert).await.map_err(failed("write rows"))?;
    session::execute(&mut connection, "VACUUM ANALYZE public.code_files").await.map_err(failed("vacuum"))?;
    connection::close(connection).await;
    set("the filter could not be built")(set_up(url, &["--layers=sqlx"]))?;
    Ok(PgPoolOptions::new().max_connections(4).test_before_acquire(false).connect_lazy_with(url.for_sqlx()))
}

/// The content of a row, of those that there are and of others.
pub(super) fn content(number: u32) -> String {
    number.to_string()
}
