//! Loading source files and vectors, into a database that has all three layers.

use std::time::Duration;

use corpus::load::{Rows, Terms};
use corpus::{Loaded, Source};
use database::environment::{self, Environment};
use database::{DatabaseUrl, ServerUrl, connection};
use serde_json::{Map, Value, json};
use terminal::console::Console;
use terminal::elapsed::{Elapsed, as_milliseconds};

use crate::error::Error;
use crate::scratch::{self, SetUp};

const SCRATCH: &str = "singularity_bench_ingest";

/// Where to load.
#[derive(Clone, Debug)]
pub enum Place {
    /// A database that is set up; what is loaded stays.
    Named(DatabaseUrl),
    /// A database of the benchmark's own on this server.
    Scratch {
        /// The server.
        server: ServerUrl,
        /// It stays; one that was kept before is loaded into again. Else it is made anew, and dropped afterwards.
        keep: bool,
    },
}

/// What was measured.
#[derive(Clone, Debug)]
pub struct Ingested {
    /// The database; none if it was dropped.
    database: Option<String>,
    model: String,
    jobs: usize,
    loaded: Loaded,
}

/// Loads a source over so many connections.
///
/// # Errors
/// [`Error::NotOurs`] if there is a database of the benchmark's name that none has made, [`Error::Production`]; else what could
/// not be done.
pub fn measure(
    source: Source,
    place: &Place,
    jobs: usize,
    set_up: SetUp<'_>,
    console: &Console,
) -> Result<Ingested, Error> {
    let model = source.model_name().to_owned();
    let terms = Terms { jobs, watcher: console };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Error::Runtime)?;
    runtime.block_on(async {
        let (database, loaded) = match place {
            Place::Named(url) => {
                refuse_production(url).await?;
                (Some(url.database().to_owned()), corpus::load(source, url, &terms).await?)
            }
            Place::Scratch { server, keep } => {
                let url = server.database(SCRATCH);
                if scratch::refuse_what_is_not_ours(server, SCRATCH).await? && !keep {
                    scratch::drop(server, SCRATCH).await?;
                }
                if !set_up(&url, &[]) {
                    return Err(Error::Failed("the scratch database could not be set up"));
                }
                let loaded = corpus::load(source, &url, &terms).await;
                // Dropped whatever became of it; the first error is the one to report.
                let dropped = if *keep { Ok(()) } else { scratch::drop(server, SCRATCH).await };
                let loaded = loaded?;
                dropped?;
                (keep.then(|| SCRATCH.to_owned()), loaded)
            }
        };
        Ok(Ingested { database, model, jobs: jobs.max(1), loaded })
    })
}

async fn refuse_production(url: &DatabaseUrl) -> Result<(), Error> {
    let mut connection = connection::connect(url).await?;
    let mark = environment::read(&mut connection).await;
    connection::close(connection).await;
    match mark.map_err(database::Error::sql("read its environment", url.database()))? {
        Environment::Prod => Err(Error::Production(url.database().to_owned())),
        Environment::Dev | Environment::Test => Ok(()),
    }
}

/// So many of them in a second; none where it was too short to tell.
#[expect(clippy::cast_precision_loss, reason = "for the eye")]
fn a_second(count: u64, took: Duration) -> Option<f64> {
    (!took.is_zero()).then(|| count as f64 / took.as_secs_f64())
}

impl Ingested {
    fn rows(&self) -> u64 {
        self.loaded.files.given + self.loaded.vectors.given
    }

    fn bytes(&self) -> u64 {
        self.loaded.content_bytes + self.loaded.vector_bytes
    }

    /// For people.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "for the eye")]
    pub fn text(&self) -> String {
        let Loaded { files, vectors, content_bytes, vector_bytes, repositories, left_out, took } = &self.loaded;
        let megabytes = |bytes: u64| format!("{:.1} MB", bytes as f64 / 1e6);
        let of = |rows: &Rows| match rows {
            Rows { given: 0, .. } => "none".to_owned(),
            Rows { written: 0, .. } => "all there before".to_owned(),
            Rows { given, written } if given == written => "all written".to_owned(),
            Rows { given, written } => format!("{written} written, {} there before", given - written),
        };
        let rate = a_second(self.rows(), *took).unwrap_or_default();
        let throughput = a_second(self.bytes(), *took).unwrap_or_default() / 1e6;
        let mut lines = vec![
            format!("{repositories} repositories in {} over {} connections", Elapsed(*took), self.jobs),
            format!("  code_files: {} rows ({}), {}", files.given, of(files), megabytes(*content_bytes)),
            format!(
                "  embeddings: {} rows ({}), {}, model `{}`",
                vectors.given,
                of(vectors),
                megabytes(*vector_bytes),
                self.model
            ),
            format!("  {rate:.0} rows/s, {throughput:.1} MB/s"),
        ];
        lines.extend(left_out.counts().map(|(reason, count)| format!("  left out: {count} {reason}")));
        if self.loaded.is_unchanged() {
            lines.push("Unchanged: everything was there before".to_owned());
        }
        if let Some(database) = &self.database {
            lines.push(format!("Kept database `{database}`"));
        }
        lines.join("\n")
    }

    /// For `--json`.
    #[must_use]
    pub fn document(&self) -> Value {
        let loaded = &self.loaded;
        let rows = |rows: &Rows, bytes: u64| json!({ "rows": rows.given, "written": rows.written, "bytes": bytes });
        let left_out: Map<String, Value> =
            loaded.left_out.counts().map(|(reason, count)| (reason.name().to_owned(), count.into())).collect();
        json!({
            "version": 1, "command": "bench ingest", "database": self.database, "model": self.model, "jobs": self.jobs,
            "repositories": loaded.repositories,
            "code_files": rows(&loaded.files, loaded.content_bytes),
            "embeddings": rows(&loaded.vectors, loaded.vector_bytes),
            "left_out": left_out,
            "unchanged": loaded.is_unchanged(),
            "milliseconds": as_milliseconds(loaded.took),
            "rows_per_second": a_second(self.rows(), loaded.took),
            "bytes_per_second": a_second(self.bytes(), loaded.took),
        })
    }
}

#[cfg(test)]
mod tests {
    use corpus::{LeftOut, Reason};

    use super::*;

    fn ingested(written: u64) -> Ingested {
        let mut left_out = LeftOut::default();
        left_out.add(Reason::TooLong);
        let loaded = Loaded {
            files: Rows { given: 100, written },
            vectors: Rows { given: 300, written },
            content_bytes: 3_000_000,
            vector_bytes: 1_000_000,
            repositories: 7,
            left_out,
            took: Duration::from_secs(2),
        };
        Ingested { database: Some("d".to_owned()), model: "m".to_owned(), jobs: 2, loaded }
    }

    #[test]
    fn the_result_says_what_went_in_and_how_fast() {
        assert_eq!(
            ingested(100).text(),
            "7 repositories in 2.0 s over 2 connections\n  \
             code_files: 100 rows (all written), 3.0 MB\n  \
             embeddings: 300 rows (100 written, 200 there before), 1.0 MB, model `m`\n  \
             200 rows/s, 2.0 MB/s\n  \
             left out: 1 files of more than 1 MiB\n\
             Kept database `d`"
        );
        let again = ingested(0);
        assert!(again.text().contains("Unchanged: everything was there before"));
        let document = again.document();
        assert_eq!((&document["unchanged"], &document["left_out"]["too_long"]), (&true.into(), &1.into()));
    }
}
