//! Which rows of a source a database lacks. Only reads.

use sqlx::PgConnection;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use crate::batch::Batch;
use crate::error::Error;
use crate::load::has_tables;
use crate::source::Source;

/// Rows of a source, and those of them that are not in the database like this.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Rows of `code_files`.
    pub files: Counts,
    /// Rows of `embeddings`.
    pub vectors: Counts,
}

/// Rows of a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All that the source has.
    pub given: u64,
    /// Those that are not there, or differ.
    pub missing: u64,
}

impl Difference {
    /// There is nothing to load.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.missing + self.vectors.missing == 0
    }
}

/// Compares a source with the database that the connection is in; without one, or without its tables, everything is missing.
///
/// # Errors
/// [`Error::File`], [`Error::Database`].
pub async fn difference(
    source: Source,
    connection: Option<&mut PgConnection>,
    database: &str,
) -> Result<Difference, Error> {
    let failed = || database::Error::sql("compare the rows", database);
    let mut connection = connection;
    if let Some(there) = &mut connection
        && !has_tables(there).await.map_err(failed())?
    {
        connection = None;
    }
    let model = source.model_name().to_owned();
    let (sender, mut batches) = mpsc::channel(1);
    let reading = spawn_blocking(move || source.read(|batch| sender.blocking_send(batch).is_ok()));
    let mut difference = Difference::default();
    while let Some(batch) = batches.recv().await {
        let (files, vectors) = match &mut connection {
            Some(connection) => missing(connection, &batch, &model).await.map_err(failed())?,
            None => (batch.files.len() as u64, batch.vectors.len() as u64),
        };
        difference.files.given += batch.files.len() as u64;
        difference.vectors.given += batch.vectors.len() as u64;
        difference.files.missing += files;
        difference.vectors.missing += vectors;
    }
    let given = reading.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
    given?;
    Ok(difference)
}

async fn missing(connection: &mut PgConnection, batch: &Batch, model: &str) -> Result<(u64, u64), sqlx::Error> {
    let files = &batch.files;
    let of_files = sqlx::query_scalar(include_str!("../queries/missing_files.sql"))
        .bind(files.iter().map(|file| file.repository.as_str()).collect::<Vec<_>>())
        .bind(files.iter().map(|file| file.path.as_str()).collect::<Vec<_>>())
        .bind(files.iter().map(|file| file.content_hash.as_slice()).collect::<Vec<_>>())
        .bind(files.iter().map(|file| file.language).collect::<Vec<_>>());
    let of_files: i64 = of_files.fetch_one(&mut *connection).await?;
    let vectors = &batch.vectors;
    let of_vectors = sqlx::query_scalar(include_str!("../queries/missing_vectors.sql"))
        .bind(vectors.iter().map(|row| row.repository.as_str()).collect::<Vec<_>>())
        .bind(vectors.iter().map(|row| row.path.as_str()).collect::<Vec<_>>())
        .bind(vectors.iter().map(|row| row.content_hash.as_slice()).collect::<Vec<_>>())
        .bind(model);
    let of_vectors: i64 = of_vectors.fetch_one(connection).await?;
    Ok((of_files.unsigned_abs(), of_vectors.unsigned_abs()))
}
