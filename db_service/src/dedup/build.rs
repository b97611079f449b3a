//! Building the filter from the table, and writing it down.

use database::transaction::{self, End};
use futures_util::TryStreamExt as _;
use sqlx::PgConnection;
use terminal::activity::{Activity, Count, Unit};

use super::bloom::Bloom;
use super::copied::Copied;
use super::error::Error;
use super::stored;
use super::written::{self, Epoch};

/// What was written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) keys: u64,
    pub(crate) capacity: u64,
    pub(crate) bytes: u64,
}

/// All of it sees one moment, and writes.
const CHANGE: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ WRITE; SET LOCAL jit = off";

/// Builds it anew: with room for half as many again as there are rows. Writers go on; what they commit meanwhile is in the log.
pub(crate) async fn build(connection: &mut PgConnection, work: &dyn Activity) -> Result<Stored, Error> {
    sqlx::query!("INSERT INTO db_service.content_filter DEFAULT VALUES ON CONFLICT DO NOTHING")
        .execute(&mut *connection)
        .await?;
    transaction::run_with(connection, CHANGE, Error::from, async |connection| {
        let begun = sqlx::query_file!("queries/begin_content_filter.sql").fetch_one(&mut *connection).await?;
        if !begun.is_kept {
            return Err(Error::NotKept { why: "its triggers are not on `code_files` and all of its leaves" });
        }
        let rows = begun.rows.unsigned_abs();
        work.phase("reading hashes", Some(Count::of(Unit::Rows, rows)));
        let bloom = Bloom::with_room_for(rows + rows / 2);
        copy(connection, &bloom, work).await?;
        Ok(End::Commit(store(connection, &bloom, &begun.horizon, false).await?))
    })
    .await
}

/// Takes what was logged into what is stored.
pub(crate) async fn fold(connection: &mut PgConnection) -> Result<Stored, Error> {
    transaction::run_with(connection, CHANGE, Error::from, async |connection| {
        let seen = stored::look(&mut *connection, None).await?;
        let bloom = seen.load(connection).await?;
        Ok(End::Commit(store(connection, &bloom, &seen.position.horizon, true).await?))
    })
    .await
}

/// Puts the key of every row in.
async fn copy(connection: &mut PgConnection, bloom: &Bloom, work: &dyn Activity) -> Result<(), Error> {
    const COPY: &str =
        "COPY (SELECT pg_catalog.substr(f.content_hash, 1, 8) FROM public.code_files f) TO STDOUT (FORMAT binary)";
    let failed = || Error::from(sqlx::Error::Protocol("COPY has sent something else than hashes".into()));
    let (mut copied, mut rows) = (Copied::default(), 0);
    let mut pieces = connection.copy_out_raw(COPY).await?;
    while let Some(piece) = pieces.try_next().await? {
        rows += copied.take(&piece, |key| bloom.insert(key)).ok_or_else(failed)?;
        if rows >= 10_000 {
            work.advanced(std::mem::take(&mut rows));
        }
    }
    if copied.is_whole() { Ok(()) } else { Err(failed()) }
}

/// In place of what is there, with all that transactions below the horizon have written.
async fn store(
    connection: &mut PgConnection,
    bloom: &Bloom,
    horizon: &str,
    is_fold: bool,
) -> Result<Stored, sqlx::Error> {
    let epoch = sqlx::query_scalar!(r#"SELECT pg_catalog.uuid_send(pg_catalog.gen_random_uuid()) AS "epoch!""#);
    let epoch = epoch.fetch_one(&mut *connection).await?;
    let of_head: &Epoch =
        epoch.as_slice().try_into().map_err(|_| sqlx::Error::Protocol("a UUID has 16 bytes".into()))?;
    let mut chunks = 0;
    for piece in written::write(bloom, of_head) {
        sqlx::query!(
            "INSERT INTO db_service.content_filter_chunk (epoch, number, bytes)
             VALUES (pg_catalog.encode($1::bytea, 'hex')::uuid, $2, $3)",
            epoch,
            chunks,
            piece
        )
        .execute(&mut *connection)
        .await?;
        chunks += 1;
    }
    let [capacity, keys] = [bloom.capacity(), bloom.keys()].map(|number| i64::try_from(number).unwrap_or(i64::MAX));
    sqlx::query_file!("queries/store_content_filter.sql", epoch, horizon, capacity, keys, chunks, is_fold)
        .execute(connection)
        .await?;
    Ok(Stored { keys: bloom.keys(), capacity: bloom.capacity(), bytes: bloom.bytes() })
}
