//! Converting live tables, against the same conversion with the application switched off.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use db_service::console::Console;
use db_service::{DatabaseUrl, Exit, connection, relayout};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use super::load::{Noticed, Writers};
use super::watch::{Seen, Watcher};
use super::{load, median, offline};
use crate::cli::RelayoutOptions;
use crate::error::Error;
use crate::layers::maintenance_url;
use crate::project::Project;
use crate::server;

const TABLES: [&str; 2] = ["code_files", "embeddings"];
const SCRATCH: &str = "singularity_bench_relayout";

pub(super) fn run(options: &RelayoutOptions, project: &Project, console: &Console) -> Result<Exit, Error> {
    let server = server::obtain(&options.server, project, console)?;
    let url = server.url.with_database(SCRATCH);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Error::Runtime)?;
    runtime.block_on(drop_scratch(&server.url))?;
    // Dropped whatever became of the measurement; the first error is the one to report.
    let measured = runtime.block_on(measure(options, &url, project, console));
    runtime.block_on(drop_scratch(&server.url))?;
    let measured = measured?;
    if options.json {
        console.json(&measured.document(options));
    } else {
        console.result(&measured.text());
    }
    Ok(Exit::Done)
}

pub(super) struct Measured {
    pub(super) tables: Vec<Table>,
    pub(super) capture: Vec<Capture>,
}

pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) rows: i64,
    /// The offline way, on an idle machine.
    pub(super) offline: Duration,
    /// The offline way, while the same writers take their share of the machine.
    pub(super) offline_beside: Duration,
    /// From the first phase to the swap: what the offline way does as well.
    pub(super) until_swap: Duration,
    /// With the comparison of all rows and dropping the old form.
    pub(super) in_all: Duration,
    /// How long each phase took.
    pub(super) phases: Vec<(String, Duration)>,
    pub(super) before: Noticed,
    /// While it was converted offline.
    pub(super) control: Noticed,
    pub(super) during: Noticed,
}

/// What the change log costs, by kind of statement.
pub(super) struct Capture {
    pub(super) rows_per_statement: u32,
    pub(super) added: f64,
}

async fn measure(
    options: &RelayoutOptions,
    url: &DatabaseUrl,
    project: &Project,
    console: &Console,
) -> Result<Measured, Error> {
    let failed = |doing: &'static str| db_service::Error::sql(doing, SCRATCH);
    set_up(url, project, &["bootstrap", "ecto"])
        .map_err(|()| Error::Bench("the scratch database could not be set up"))?;
    let mut connection = connection::connect(url).await.map_err(db_service::Error::from)?;
    console.busy("Filling the tables");
    for statement in load::rows(options.rows, options.vectors) {
        execute(&mut connection, &statement).await.map_err(failed("fill the tables"))?;
    }
    for statement in ["VACUUM ANALYZE", "CHECKPOINT"] {
        execute(&mut connection, statement).await.map_err(failed("fill the tables"))?;
    }
    console.busy("Measuring the change log");
    let capture = capture(&mut connection).await.map_err(failed("measure the change log"))?;
    let mut offline = Vec::new();
    for table in TABLES {
        console.busy(&format!("Converting {table} offline"));
        offline.push(offline::convert(url, table).await.map_err(failed("convert offline"))?);
    }
    execute(&mut connection, "CHECKPOINT").await.map_err(failed("write to disk"))?;
    console.busy("Writing without a conversion");
    let (before, ..) = beside_writers(options, url, async || tokio::time::sleep(Duration::from_secs(5)).await).await?;
    // The same work on the same machine, which the writers have their share of: what is left to differ is the engine.
    console.busy("Converting offline, beside writers");
    let (control, _, offline_beside) = beside_writers(options, url, async || {
        let mut times = Vec::new();
        for table in TABLES {
            times.push(offline::convert(url, table).await?);
        }
        Ok(times)
    })
    .await?;
    let offline_beside = offline_beside.map_err(failed("convert offline, beside writers"))?;
    execute(&mut connection, "CHECKPOINT").await.map_err(failed("write to disk"))?;
    console.busy("Converting under writers");
    let (during, seen, outcome) = beside_writers(options, url, async || set_up(url, project, &["sqlx"])).await?;
    outcome.map_err(|()| Error::Bench("the conversion failed"))?;
    let mut tables = Vec::new();
    for (index, ((before, control), during)) in before.into_iter().zip(control).zip(during).enumerate() {
        let name = TABLES[index];
        let (until_swap, in_all) =
            seen.durations(name).ok_or(Error::Bench("the conversion was too short to measure"))?;
        let rows = sqlx::query_scalar(AssertSqlSafe(format!("SELECT count(*) FROM {name}")))
            .fetch_one(&mut connection)
            .await
            .map_err(failed("count the rows"))?;
        let (offline, offline_beside, phases) = (offline[index], offline_beside[index], seen.of_table(name));
        tables.push(Table { name, rows, offline, offline_beside, until_swap, in_all, phases, before, control, during });
    }
    connection::close(connection).await;
    Ok(Measured { tables, capture })
}

/// Does some work while writers write to both tables; what they noticed, what was seen from outside, and what came of it.
async fn beside_writers<T>(
    options: &RelayoutOptions,
    url: &DatabaseUrl,
    work: impl AsyncFnOnce() -> T,
) -> Result<([Noticed; 2], Seen, T), Error> {
    let failed = |error| db_service::Error::sql("write to the tables", SCRATCH)(error);
    let [files, vectors] = TABLES.map(|table| Writers::start(url, table, options.writers, rows_of(options, table)));
    let watcher = Watcher::start(url);
    let outcome = work().await;
    let (files, vectors) = (files.finish().map_err(failed)?, vectors.finish().map_err(failed)?);
    let seen = watcher.finish().map_err(failed)?;
    Ok(([files, vectors].map(|transactions| transactions.noticed(&seen.waits)), seen, outcome))
}

fn rows_of(options: &RelayoutOptions, table: &str) -> u32 {
    if table == "code_files" { options.rows } else { options.vectors }
}

/// `db-setup` of some layers, as its users run it.
fn set_up(url: &DatabaseUrl, project: &Project, layers: &[&str]) -> Result<(), ()> {
    let mut command = Command::new(std::env::current_exe().map_err(drop)?);
    command.arg("--project").arg(project.root()).args([
        "db-setup",
        "--yes",
        "--environment",
        "test",
        "--layers",
        &layers.join(","),
    ]);
    command.env("DATABASE_URL", url.for_libpq()).stdin(Stdio::null()).stdout(Stdio::null());
    if command.status().is_ok_and(|status| status.success()) { Ok(()) } else { Err(()) }
}

async fn drop_scratch(url: &DatabaseUrl) -> Result<(), Error> {
    let mut connection = connection::connect(&maintenance_url(url)).await.map_err(db_service::Error::from)?;
    let text = format!("DROP DATABASE IF EXISTS {SCRATCH} WITH (FORCE)");
    let outcome = execute(&mut connection, &text).await;
    connection::close(connection).await;
    Ok(outcome.map_err(db_service::Error::sql("drop the scratch database", SCRATCH))?)
}

async fn execute(connection: &mut PgConnection, text: &str) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(text.to_owned())).execute(connection).await.map(drop)
}

const ROUNDS: u32 = 7;
const ROWS_A_ROUND: u32 = 10_000;

/// Inserts, updates and deletes rows with the change log and without, by turns; rolled back each time.
async fn capture(connection: &mut PgConnection) -> Result<Vec<Capture>, sqlx::Error> {
    let mut measured = Vec::new();
    for rows_per_statement in [1, 1000] {
        let (mut without, mut with) = (Vec::new(), Vec::new());
        for round in 0..2 * ROUNDS {
            let logged = round % 2 == 1;
            let mut transaction = connection.begin().await?;
            if logged {
                relayout::install_change_log(&mut transaction, "code_files").await?;
            }
            let started = Instant::now();
            write_rows(&mut transaction, ROWS_A_ROUND, rows_per_statement).await?;
            let per_row = started.elapsed() / (3 * ROWS_A_ROUND);
            transaction.rollback().await?;
            if logged { with.push(per_row) } else { without.push(per_row) }
        }
        let added = median(&mut with).as_secs_f64() - median(&mut without).as_secs_f64();
        measured.push(Capture { rows_per_statement, added: added * 1e6 });
    }
    Ok(measured)
}

/// In one call each: a round trip takes many times what is measured.
async fn write_rows(connection: &mut PgConnection, rows: u32, per_statement: u32) -> Result<(), sqlx::Error> {
    let last = per_statement - 1;
    for statement in [
        format!(
            "INSERT INTO code_files (repo_name, file_path, content, content_hash, size_bytes)
             SELECT 'capture', 'file' || g, 'x', sha256('x'), 1 FROM generate_series(lowest, lowest + {last}) g"
        ),
        format!(
            "UPDATE code_files SET size_bytes = 2 FROM generate_series(lowest, lowest + {last}) g
             WHERE repo_name = 'capture' AND file_path = 'file' || g"
        ),
        format!(
            "DELETE FROM code_files USING generate_series(lowest, lowest + {last}) g
             WHERE repo_name = 'capture' AND file_path = 'file' || g"
        ),
    ] {
        let all =
            format!("DO $do$ BEGIN FOR lowest IN 1..{rows} BY {per_statement} LOOP {statement}; END LOOP; END $do$");
        execute(connection, &all).await?;
    }
    Ok(())
}
