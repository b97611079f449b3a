//! Converting live tables, against the same conversion with the application switched off.

mod change_log;
mod measured;
mod outcome;

use std::time::Duration;

use database::{DatabaseUrl, ServerUrl, connection};
use sqlx::AssertSqlSafe;
use terminal::console::Console;

use crate::error::Error;
use crate::load::{Noticed, Writers};
use crate::scratch::{self, SetUp};
use crate::session;
use crate::watch::{Seen, Watcher};
use crate::{load, offline};
use measured::Table;

pub use measured::Measured;

const TABLES: [&str; 2] = ["code_files", "embeddings"];
const SCRATCH: &str = "singularity_bench_relayout";

/// How much of it.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Rows of `code_files`.
    pub rows: u32,
    /// Rows of `embeddings`.
    pub vectors: u32,
    /// Connections that write to each table meanwhile.
    pub writers: u32,
}

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
    if !set_up(url, &["--layers=bootstrap,ecto"]) {
        return Err(Error::Failed("the scratch database could not be set up"));
    }
    let mut connection = connection::connect(url).await?;
    let job = console.job("bench");
    job.announce("Filling the tables");
    for statement in load::rows(size.rows, size.vectors) {
        session::execute(&mut connection, &statement).await.map_err(failed("fill the tables"))?;
    }
    for statement in ["VACUUM ANALYZE", "CHECKPOINT"] {
        session::execute(&mut connection, statement).await.map_err(failed("fill the tables"))?;
    }
    job.announce("Measuring the change log");
    let capture = change_log::measure(&mut connection, size.rows).await.map_err(failed("measure the change log"))?;
    let mut offline = Vec::new();
    for table in TABLES {
        job.announce(&format!("Converting {table} offline"));
        offline.push(offline::convert(url, table).await.map_err(failed("convert offline"))?);
    }
    session::execute(&mut connection, "CHECKPOINT").await.map_err(failed("write to disk"))?;
    job.announce("Writing without a conversion");
    let (before, ..) = beside_writers(size, url, async || tokio::time::sleep(Duration::from_secs(5)).await).await?;
    // The same work on the same machine, which the writers have their share of: what is left to differ is the engine.
    job.announce("Converting offline, beside writers");
    let (control, _, offline_beside) = beside_writers(size, url, async || {
        let mut times = Vec::new();
        for table in TABLES {
            times.push(offline::convert(url, table).await?);
        }
        Ok(times)
    })
    .await?;
    let offline_beside = offline_beside.map_err(failed("convert offline, beside writers"))?;
    session::execute(&mut connection, "CHECKPOINT").await.map_err(failed("write to disk"))?;
    job.announce("Converting under writers");
    let (during, seen, outcome) = beside_writers(size, url, async || set_up(url, &["--layers=sqlx"])).await?;
    if !outcome {
        return Err(Error::Failed("the conversion failed"));
    }
    let mut tables = Vec::new();
    for (index, ((before, control), during)) in before.into_iter().zip(control).zip(during).enumerate() {
        let name = TABLES[index];
        let (until_swap, in_all) =
            seen.durations(name).ok_or(Error::Failed("the conversion was too short to measure"))?;
        let rows = sqlx::query_scalar(AssertSqlSafe(format!("SELECT count(*) FROM {name}")))
            .fetch_one(&mut connection)
            .await
            .map_err(failed("count the rows"))?;
        let (offline, offline_beside, phases) = (offline[index], offline_beside[index], seen.of_table(name));
        tables.push(Table { name, rows, offline, offline_beside, until_swap, in_all, phases, before, control, during });
    }
    connection::close(connection).await;
    Ok(Measured { writers: size.writers, tables, capture })
}

/// Does some work while writers write to both tables; what they noticed, what was seen from outside, and what came of it.
async fn beside_writers<T>(
    size: Size,
    url: &DatabaseUrl,
    work: impl AsyncFnOnce() -> T,
) -> Result<([Noticed; 2], Seen, T), Error> {
    let failed = |error| database::Error::sql("write to the tables", SCRATCH)(error);
    let [files, vectors] = TABLES.map(|table| Writers::start(url, table, size.writers, rows_of(size, table)));
    let watcher = Watcher::start(url);
    let outcome = work().await;
    let (files, vectors) = (files.finish().map_err(failed)?, vectors.finish().map_err(failed)?);
    let seen = watcher.finish().map_err(failed)?;
    Ok(([files, vectors].map(|transactions| transactions.noticed(&seen.waits)), seen, outcome))
}

fn rows_of(size: Size, table: &str) -> u32 {
    if table == "code_files" { size.rows } else { size.vectors }
}
