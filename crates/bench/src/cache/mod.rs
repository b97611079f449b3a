//! Answers from the cache against the same search without it, and what it costs writers that versions are kept.

mod ground;
mod hits;
mod measured;
mod misses;

use corpus::Source;
use database::{DatabaseUrl, ServerUrl};
use terminal::console::Console;

use crate::error::Error;
use crate::scratch::{self, SetUp};
use crate::upkeep;
use ground::SCRATCH;

pub use measured::Measured;

/// Measures in a scratch database of its own, which is dropped afterwards.
///
/// # Errors
/// [`Error::NotOurs`] if there is a database of that name that no benchmark has made; else what could not be done.
pub fn measure(source: Source, server: &ServerUrl, set_up: SetUp<'_>, console: &Console) -> Result<Measured, Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Error::Runtime)?;
    runtime.block_on(scratch::within(server, SCRATCH, async |url| measure_in(source, url, set_up, console).await))
}

async fn measure_in(
    source: Source,
    url: &DatabaseUrl,
    set_up: SetUp<'_>,
    console: &Console,
) -> Result<Measured, Error> {
    let failed = |doing: &'static str| database::Error::sql(doing, SCRATCH);
    let ground = ground::lay(source, url, set_up, console).await?;
    let job = console.job("bench");
    job.announce("Asking with and without a cache");
    let hits = hits::measure(&ground).await?;
    job.announce("Asking for the same at once");
    let misses = misses::measure(&ground).await?;
    job.announce("Writing with and without versions");
    let writes = upkeep::measure(url, "").await.map_err(failed("write"))?;
    ground.pool.close().await;
    Ok(Measured { vectors: ground.vectors, hits, misses, writes })
}
