//! Rows, into a database: by `COPY` into a staging table and from there into the real one, over several connections.

use std::time::{Duration, Instant};

use database::cause::sql_state;
use database::retry::Backoff;
use database::transaction::{self, End};
use database::{DatabaseUrl, connection};
use futures_util::future::{join_all, try_join_all};
use sqlx::PgConnection;
use terminal::activity::{Activity, Unit, Watcher};
use tokio::sync::Mutex;
use tokio::sync::mpsc::{self, Receiver};
use tokio::task::spawn_blocking;

use crate::batch::Batch;
use crate::copy::CopyRows;
use crate::error::Error;
use crate::left_out::LeftOut;
use crate::source::Source;

/// How to load.
#[derive(Debug)]
pub struct Terms<'a> {
    /// Connections that write at once; at least one is opened.
    pub jobs: usize,
    /// Is told how it goes.
    pub watcher: &'a dyn Watcher,
}

/// What was loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Rows of `code_files`.
    pub files: Rows,
    /// Rows of `embeddings`.
    pub vectors: Rows,
    /// Bytes of the files.
    pub content_bytes: u64,
    /// Bytes of the vectors.
    pub vector_bytes: u64,
    /// Repositories that have rows.
    pub repositories: u64,
    /// What was not loaded.
    pub left_out: LeftOut,
    /// From the first row read to the last one written.
    pub took: Duration,
}

/// Rows of a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// All that the source has.
    pub given: u64,
    /// Those of them that were not there like this, and are now.
    pub written: u64,
}

impl Loaded {
    /// Everything was there already.
    #[must_use]
    pub fn is_unchanged(&self) -> bool {
        self.files.written + self.vectors.written == 0
    }
}

/// Loads all rows of a source into `code_files` and `embeddings`. What is there already stays untouched; a file or a vector
/// that has changed is replaced, together with the parts of a file. What the source no longer has stays.
///
/// Every transaction is a [`Batch`]: what is interrupted is finished by loading it again.
///
/// # Errors
/// [`Error::NoTables`], [`Error::File`], [`Error::Database`].
pub async fn load(source: Source, url: &DatabaseUrl, terms: &Terms<'_>) -> Result<Loaded, Error> {
    let activity = terms.watcher.began(url.database());
    activity.phase("counting", None);
    let (source, count) = blocking(move || {
        let count = source.count();
        (source, count)
    })
    .await;
    let mut writers = Vec::new();
    for _ in 0..terms.jobs.max(1) {
        writers.push(Writer::open(url, source.model_name()).await?);
    }
    activity.phase("loading", Some(count));
    let started = Instant::now();
    // One batch waits, one is being made, and each writer has one.
    let (sender, receiver) = mpsc::channel(1);
    let reading = spawn_blocking(move || source.read(|batch| sender.blocking_send(batch).is_ok()));
    let receiver = Mutex::new(receiver);
    let work = writers.iter_mut().map(|writer| writer.write_all(&receiver, count.unit, activity.as_ref()));
    let outcome = try_join_all(work).await;
    // Where one has failed, the reader ends too.
    drop(receiver);
    let given = reading.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
    let mut loaded = outcome?.iter().fold(Loaded::default(), sum);
    let given = given?;
    if !loaded.is_unchanged() {
        activity.phase("analysing", None);
        writers[0].analyse().await?;
    }
    join_all(writers.into_iter().map(|writer| connection::close(writer.connection))).await;
    (loaded.repositories, loaded.left_out) = (given.repositories, given.left_out);
    loaded.took = started.elapsed();
    Ok(loaded)
}

/// Work that waits for disks, beside what waits for the server.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    spawn_blocking(work).await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

/// Whether both tables are there.
pub(crate) async fn has_tables(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let tables = "SELECT to_regclass('public.code_files') IS NOT NULL AND to_regclass('public.embeddings') IS NOT NULL";
    sqlx::query_scalar(tables).fetch_one(connection).await
}

fn sum(one: Loaded, other: &Loaded) -> Loaded {
    let rows = |one: Rows, other: Rows| Rows { given: one.given + other.given, written: one.written + other.written };
    Loaded {
        files: rows(one.files, other.files),
        vectors: rows(one.vectors, other.vectors),
        content_bytes: one.content_bytes + other.content_bytes,
        vector_bytes: one.vector_bytes + other.vector_bytes,
        ..one
    }
}

/// A connection that writes, with its staging tables.
struct Writer {
    connection: PgConnection,
    database: String,
    model: String,
}

/// Attempts at a batch, which another writer or a table that is being converted may stand in the way of.
const ATTEMPTS: u32 = 8;

impl Writer {
    async fn open(url: &DatabaseUrl, model: &str) -> Result<Self, Error> {
        let mut connection = connection::connect(url).await?;
        let failed = || database::Error::sql("prepare for loading", url.database());
        if !has_tables(&mut connection).await.map_err(failed())? {
            return Err(Error::NoTables(url.database().to_owned()));
        }
        sqlx::raw_sql(include_str!("../queries/stage.sql")).execute(&mut connection).await.map_err(failed())?;
        Ok(Self { connection, database: url.database().to_owned(), model: model.to_owned() })
    }

    async fn write_all(
        &mut self,
        batches: &Mutex<Receiver<Batch>>,
        unit: Unit,
        activity: &dyn Activity,
    ) -> Result<Loaded, Error> {
        let mut loaded = Loaded::default();
        loop {
            let next = batches.lock().await.recv().await;
            let Some(batch) = next else { return Ok(loaded) };
            let (content_bytes, vector_bytes) = (batch.content_bytes(), batch.vector_bytes());
            let (files, vectors) =
                self.write(&batch).await.map_err(database::Error::sql("load rows", &self.database))?;
            activity.advanced(if unit == Unit::Bytes { content_bytes } else { vectors.given });
            loaded = sum(loaded, &Loaded { files, vectors, content_bytes, vector_bytes, ..Loaded::default() });
        }
    }

    async fn write(&mut self, batch: &Batch) -> Result<(Rows, Rows), sqlx::Error> {
        let mut backoff = Backoff::new(Duration::from_millis(20), Duration::from_secs(1));
        for _ in 1..ATTEMPTS {
            match self.write_once(batch).await {
                Err(error) if is_passing(&error) => tokio::time::sleep(backoff.pause()).await,
                outcome => return outcome,
            }
        }
        self.write_once(batch).await
    }

    async fn write_once(&mut self, batch: &Batch) -> Result<(Rows, Rows), sqlx::Error> {
        let model = self.model.as_str();
        let work = async |connection: &mut PgConnection| {
            copy(connection, "COPY pg_temp.corpus_file FROM STDIN (FORMAT binary)", files(batch)).await?;
            copy(connection, "COPY pg_temp.corpus_vector FROM STDIN (FORMAT binary)", vectors(batch)).await?;
            let stale = sqlx::query(include_str!("../queries/delete_stale_parts.sql")).bind(model);
            stale.execute(&mut *connection).await?;
            let files = sqlx::query(include_str!("../queries/write_files.sql")).execute(&mut *connection).await?;
            let vectors = sqlx::query(include_str!("../queries/write_vectors.sql")).bind(model);
            let vectors = vectors.execute(connection).await?;
            Ok(End::Commit((files.rows_affected(), vectors.rows_affected())))
        };
        let (files, vectors) = transaction::run(&mut self.connection, transaction::CHANGE, work).await?;
        let rows = |given: usize, written| Rows { given: given as u64, written };
        Ok((rows(batch.files.len(), files), rows(batch.vectors.len(), vectors)))
    }

    /// So that the planner knows what there is now: of a partitioned table nobody else tells it.
    async fn analyse(&mut self) -> Result<(), Error> {
        let analyse = sqlx::raw_sql("ANALYZE public.code_files, public.embeddings").execute(&mut self.connection).await;
        Ok(analyse.map(drop).map_err(database::Error::sql("analyse the tables", &self.database))?)
    }
}

/// It was in somebody's way, and would not be again: a deadlock, a lock that took too long, a table that was exchanged.
fn is_passing(error: &sqlx::Error) -> bool {
    matches!(sql_state(error).as_deref(), Some("40001" | "40P01" | "55P03"))
}

async fn copy(connection: &mut PgConnection, statement: &'static str, rows: Vec<u8>) -> Result<(), sqlx::Error> {
    let mut copy = connection.copy_in_raw(statement).await?;
    copy.send(rows).await?;
    copy.finish().await.map(drop)
}

fn files(batch: &Batch) -> Vec<u8> {
    let mut rows = CopyRows::new();
    for file in &batch.files {
        rows.row(6);
        rows.value(Some(file.repository.as_bytes()));
        rows.value(Some(file.path.as_bytes()));
        rows.value(Some(file.content.as_bytes()));
        rows.value(Some(&file.content_hash));
        rows.integer(i32::try_from(file.content.len()).unwrap_or(i32::MAX));
        rows.value(file.language.map(str::as_bytes));
    }
    rows.finish()
}

fn vectors(batch: &Batch) -> Vec<u8> {
    let mut rows = CopyRows::new();
    for row in &batch.vectors {
        rows.row(4);
        rows.value(Some(row.repository.as_bytes()));
        rows.value(Some(row.path.as_bytes()));
        rows.value(Some(&row.content_hash));
        rows.vector(&row.vector);
    }
    rows.finish()
}
