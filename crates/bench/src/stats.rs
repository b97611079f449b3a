//! Writing what queries took: by batches from a queue, against an INSERT for each query.

use std::time::{Duration, Instant};

use database::{DatabaseUrl, ServerUrl, connection};
use db_service::stats::{self, Measurement, Options, Tally};
use serde_json::{Value, json};
use terminal::console::Console;

use crate::error::Error;
use crate::line::{Bound, Line, microseconds, ratio};
use crate::percentile::median;
use crate::scratch::{self, SetUp};

/// The outcome of the benchmark.
#[derive(Clone, Debug)]
pub struct Measured {
    /// For the caller, of each measurement.
    recording: Duration,
    /// Until it is in the table, of each measurement of many.
    batched: Duration,
    /// Of an INSERT for each.
    alone: Duration,
    /// What became of those that were recorded while nobody wrote.
    flooded: Tally,
}

const SCRATCH: &str = "singularity_bench_stats";

const ROUNDS: usize = 7;

/// Of a round, through the queue.
const MANY: u32 = 20_000;

/// Of a round, one by one.
const FEW: u32 = 1000;

/// Measures in a scratch database of its own, which is dropped afterwards.
///
/// # Errors
/// [`Error::NotOurs`] if there is a database of that name that no benchmark has made; else what could not be done.
pub fn measure(server: &ServerUrl, set_up: SetUp<'_>, console: &Console) -> Result<Measured, Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Error::Runtime)?;
    runtime.block_on(scratch::within(server, SCRATCH, async |url| {
        if !set_up(url, &[]) {
            return Err(Error::Failed("the scratch database could not be set up"));
        }
        console.job("bench").announce("Writing what queries took");
        let [mut recording, mut batched, mut alone] = [const { Vec::new() }; 3];
        for _ in 0..ROUNDS {
            let (called, kept) = by_batches(url).await?;
            recording.push(called / MANY);
            batched.push(kept / MANY);
            alone.push(one_by_one(url).await? / FEW);
        }
        let (recording, batched, alone) = (median(&mut recording), median(&mut batched), median(&mut alone));
        Ok(Measured { recording, batched, alone, flooded: flood() })
    }))
}

/// Like those of a search.
fn measurement(number: u32) -> Measurement {
    let took = Duration::from_micros(u64::from(number % 9000));
    Measurement::new("search_in_repository", took).repository("bench").rows(10).cache_hit(number.is_multiple_of(3))
}

/// Until all were recorded, and until all are written.
async fn by_batches(url: &DatabaseUrl) -> Result<(Duration, Duration), Error> {
    let (recorder, writer) = stats::recorder(Options { queue: MANY as usize, ..Options::MODEST });
    let tally = tokio::spawn(writer.run(url.clone()));
    let started = Instant::now();
    (0..MANY).for_each(|number| recorder.record(measurement(number)));
    let called = started.elapsed();
    drop(recorder);
    let tally = tally.await.map_err(|_| Error::Failed("the writer ended early"))?;
    let took = started.elapsed();
    if tally.written == u64::from(MANY) { Ok((called, took)) } else { Err(Error::Failed("some were not written")) }
}

/// Prepared once, each committed by itself: as an application does without anything.
async fn one_by_one(url: &DatabaseUrl) -> Result<Duration, Error> {
    let failed = |error| Error::from(database::Error::sql("write what a query took", SCRATCH)(error));
    let insert =
        "INSERT INTO public.rag_performance_stats (query_type, repo_name, execution_time_ms, rows_returned, cache_hit)
                  VALUES ('search_in_repository', 'bench', $1, 10, $2)";
    let mut connection = connection::connect(url).await?;
    let started = Instant::now();
    for number in 0..FEW {
        let insert = sqlx::query(insert).bind(f64::from(number % 9000) / 1e3).bind(number.is_multiple_of(3));
        insert.execute(&mut connection).await.map_err(failed)?;
    }
    let took = started.elapsed();
    connection::close(connection).await;
    Ok(took)
}

/// Nobody takes anything from the queue.
fn flood() -> Tally {
    let (recorder, _writer) = stats::recorder(Options::MODEST);
    (0..MANY).for_each(|number| recorder.record(measurement(number)));
    recorder.tally()
}

impl Measured {
    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        let Self { recording, batched, alone, flooded } = self;
        let mut text = format!(
            "recording a query: {:.2} µs; until it is in the table, of {MANY} at once: {:.1} µs each; an INSERT for each: {:.1} µs\n\
             of {} recorded while nobody writes, {} were dropped and counted\n",
            microseconds(*recording),
            microseconds(*batched),
            microseconds(*alone),
            flooded.recorded,
            flooded.dropped,
        );
        text.extend(self.lines().iter().map(|line| format!("  {}\n", line.verdict())));
        text.truncate(text.trim_end().len());
        text
    }

    /// For `--json`.
    #[must_use]
    pub fn document(&self) -> Value {
        let Self { recording, batched, alone, flooded } = self;
        let lines: Vec<Value> = self.lines().iter().map(Line::document).collect();
        json!({
            "version": 1, "command": "bench stats",
            "microseconds": {
                "recording": microseconds(*recording), "batched": microseconds(*batched), "alone": microseconds(*alone),
            },
            "flooded": flooded, "reach": lines,
        })
    }

    fn lines(&self) -> [Line; 2] {
        let faster = ratio(self.alone, self.batched);
        [
            Line::new("writing what queries took", "one INSERT a query", faster, Bound::AtLeast(20.0)),
            Line::new("recording a query", "not recording it", microseconds(self.recording), Bound::Microseconds(5.0)),
        ]
    }
}
