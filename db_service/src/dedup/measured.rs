//! What a stored filter is worth, measured.

use database::transaction::{self, End};
use futures_util::TryStreamExt as _;
use sqlx::{PgConnection, Row as _};

use super::error::Error;
use super::stored;

/// A filter with all that was written since it was built.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// Contents that it has, about.
    pub keys: u64,
    /// Contents that it has room for; with more, it spares fewer questions.
    pub capacity: u64,
    /// Its bits.
    pub bytes: u64,
    /// The share of its bits that is set, half of them where it is full.
    pub fill: f64,
    /// The share of unknown contents that it would take for known, by its fill.
    pub estimated: f64,
    /// The same, counted with a million keys that nobody has.
    pub measured: f64,
}

/// What was compared with the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Compared {
    pub(crate) contents: u64,
    /// Those that the filter denies.
    pub(crate) missing: u64,
}

/// Measures the one that is stored. Reads only.
///
/// # Errors
/// Why there is none, or none that could be trusted.
pub async fn measure(connection: &mut PgConnection) -> Result<Measured, Error> {
    transaction::run_with(connection, transaction::SNAPSHOT, Error::from, async |connection| {
        let seen = stored::look(&mut *connection, None).await?;
        let bloom = seen.load(connection).await?;
        Ok(End::Commit(Measured {
            keys: bloom.keys(),
            capacity: bloom.capacity(),
            bytes: bloom.bytes(),
            fill: bloom.fill(),
            estimated: bloom.estimated(),
            measured: bloom.measured(),
        }))
    })
    .await
}

/// Compares it with so many of 256 of all contents. Reads only.
pub(crate) async fn compare(connection: &mut PgConnection, of_256: i32) -> Result<Compared, Error> {
    transaction::run_with(connection, transaction::SNAPSHOT, Error::from, async |connection| {
        let seen = stored::look(&mut *connection, None).await?;
        let bloom = seen.load(&mut *connection).await?;
        let mut compared = Compared { contents: 0, missing: 0 };
        // By the last byte, which is no part of the key.
        let keys = "SELECT pg_catalog.substr(f.content_hash, 1, 8) FROM public.code_files f
                    WHERE pg_catalog.get_byte(f.content_hash, 31) < $1";
        let mut rows = sqlx::query(keys).bind(of_256).fetch(connection);
        while let Some(row) = rows.try_next().await? {
            let key: &[u8] = row.try_get(0)?;
            let is_held = key.try_into().is_ok_and(|key| bloom.may_hold(u64::from_be_bytes(key)));
            compared.contents += 1;
            compared.missing += u64::from(!is_held);
        }
        drop(rows);
        Ok(End::Commit(compared))
    })
    .await
}
