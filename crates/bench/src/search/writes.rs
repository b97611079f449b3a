//! What it costs writers that codes and versions are kept up, and what it costs searches that writers have been there.

use std::time::{Duration, Instant};

use sqlx::PgConnection;

use super::contender::{Contender, K};
use super::ground::Ground;
use crate::kept;
use crate::session;

#[derive(Clone, Debug)]
pub(crate) struct Writes {
    pub(crate) form: &'static str,
    /// Rows that were written in each way.
    pub(crate) rows: u64,
    pub(crate) with: Duration,
    /// With the triggers switched off.
    pub(crate) without: Duration,
    /// The median of a search across, before.
    pub(crate) before: Duration,
    /// The same, while nothing of what was written is folded.
    pub(crate) after: Duration,
}

const TABLE: &str = "public.embeddings";

/// Rows of a transaction.
const BATCH: u64 = 100;

/// In each way.
const MOST: u64 = 10_000;

/// New vectors, each between two that are there.
const WRITE: &str = "INSERT INTO public.embeddings (repo_name, path, model, content_hash, embedding)
    SELECT o.repo_name, 'bench/written/' || $1::bigint + g, o.model, sha256(($1 + g)::text::bytea),
           public.l2_normalize(o.embedding + other.embedding)
    FROM generate_series(1, $2::bigint) g
    JOIN LATERAL (SELECT * FROM public.embeddings e WHERE e.id >= 1 + ($1 + g) * 7919 % $3 ORDER BY e.id LIMIT 1) o ON true
    JOIN LATERAL (SELECT * FROM public.embeddings e WHERE e.id >= 1 + ($1 + g) * 104729 % $3 ORDER BY e.id LIMIT 1) other ON true";

/// Batches with and without, in turns; all of it is taken away again.
pub(crate) async fn measure(
    connection: &mut PgConnection,
    form: &'static str,
    ground: &Ground,
) -> Result<Writes, sqlx::Error> {
    fold(connection).await?;
    let ours = Contender::ours(&format!("search_across($1, {K})"));
    let before = ours.median(connection, &ground.queries).await?;
    let batches = (ground.rows.unsigned_abs() / 5).clamp(BATCH, MOST) / BATCH;
    let (mut with, mut without) = (Duration::ZERO, Duration::ZERO);
    for number in 0..batches {
        with += write(connection, 2 * number * BATCH, ground.rows).await?;
        kept::switch(connection, TABLE, false).await?;
        without += write(connection, (2 * number + 1) * BATCH, ground.rows).await?;
        kept::switch(connection, TABLE, true).await?;
    }
    let after = ours.median(connection, &ground.queries).await?;
    session::execute(connection, "DELETE FROM public.embeddings WHERE path LIKE 'bench/written/%'").await?;
    fold(connection).await?;
    Ok(Writes { form, rows: batches * BATCH, with, without, before, after })
}

async fn write(connection: &mut PgConnection, from: u64, rows: i64) -> Result<Duration, sqlx::Error> {
    let started = Instant::now();
    sqlx::query(WRITE).bind(from.cast_signed()).bind(BATCH.cast_signed()).bind(rows.max(1)).execute(connection).await?;
    Ok(started.elapsed())
}

async fn fold(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    loop {
        let folded: i64 = sqlx::query_scalar("SELECT db_service.fold_codes(500)").fetch_one(&mut *connection).await?;
        if folded == 0 {
            return Ok(());
        }
    }
}
