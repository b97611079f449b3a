//! Finding out what is known already, against asking for it one by one, and what it costs writers that a filter is kept.

mod ground;
mod imports;
mod measured;
mod probes;
mod reindex;
mod size;

use database::{DatabaseUrl, ServerUrl};
use terminal::console::Console;

use crate::error::Error;
use crate::scratch::{self, SetUp};
use crate::upkeep;
use ground::SCRATCH;

pub use measured::Measured;
pub use size::Size;

/// Measures in a scratch database of its own, which is dropped afterwards.
///
/// # Errors
/// [`Error::NotOurs`] if there is a database of that name that no benchmark has made; else what could not be done.
pub fn measure(size: Size, server: &ServerUrl, set_up: SetUp<'_>, console: &Console) -> Result<Measured, Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Error::Runtime)?;
    runtime.block_on(scratch::within(server, SCRATCH, async |url| measure_in(size, url, set_up, console).await))
}

async fn measure_in(size: Size, url: &DatabaseUrl, set_up: SetUp<'_>, console: &Console) -> Result<Measured, Error> {
    let failed = |doing: &'static str| database::Error::sql(doing, SCRATCH);
    let job = console.job("bench");
    job.announce("Writing rows");
    let pool = ground::lay(size.rows, url, set_up).await?;
    job.announce("Probing a filter");
    let probes = probes::measure(size.contents, &pool).await.map_err(failed("look a content up"))?;
    job.announce("Comparing a repository");
    let reindexed = reindex::measure(&pool).await?;
    job.announce("Importing what is not known");
    let imported = imports::measure(&pool).await?;
    job.announce("Writing with and without a filter");
    let writes = upkeep::measure(url, "contents").await.map_err(failed("write"))?;
    pool.close().await;
    Ok(Measured { size, probes, reindexed, imported, writes })
}
