//! What a job will take, said before it starts.

use std::fmt;
use std::time::Duration;

use database::Relation;
use sqlx::PgConnection;

use super::bytes::Bytes;

/// What the next job on the way to a layout takes, roughly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Estimate {
    /// Rows to copy, by the server's statistics.
    pub rows: u64,
    /// Bytes of the rows themselves.
    pub table_bytes: u64,
    /// Bytes that the second copy with its indexes takes until the old form is dropped; and that the WAL grows by.
    pub bytes: u64,
    /// Its duration.
    pub time: Duration,
}

/// Rows that are copied, indexed and compared in a second on two cores (`cargo xtask bench relayout`).
const ROWS_A_SECOND: u64 = 80_000;
/// The same where an HNSW graph of 768 dimensions is built, by two builders.
const VECTORS_A_SECOND: u64 = 4_000;

impl Estimate {
    /// For copying these tables.
    pub(crate) async fn of(connection: &mut PgConnection, sources: &[Relation]) -> Result<Self, sqlx::Error> {
        let names: Vec<String> = sources.iter().map(Relation::to_string).collect();
        let size = sqlx::query_file!("queries/layout_size.sql", &names).fetch_one(connection).await?;
        let rows = size.rows.cast_unsigned();
        let rate = if size.has_vector_index { VECTORS_A_SECOND } else { ROWS_A_SECOND };
        Ok(Self {
            rows,
            table_bytes: size.table_bytes.cast_unsigned(),
            bytes: size.table_bytes.cast_unsigned() + size.index_bytes.cast_unsigned(),
            time: Duration::from_secs(rows / rate),
        })
    }
}

impl fmt::Display for Estimate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (rows, bytes) = (self.rows, Bytes(self.bytes));
        let time = match self.time.as_secs() {
            0 => "a second".to_owned(),
            seconds @ 1..120 => format!("{seconds} s"),
            seconds @ 120..7200 => format!("{} min", seconds / 60),
            seconds => format!("{} h", seconds / 3600),
        };
        write!(formatter, "{rows} rows; about {time}, {bytes} of disk until the old form is dropped, {bytes} of WAL")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estimate_names_time_disk_and_wal() {
        let estimate =
            Estimate { rows: 1_000_000, table_bytes: 0, bytes: 1_300_000_000, time: Duration::from_secs(200) };
        assert_eq!(
            estimate.to_string(),
            "1000000 rows; about 3 min, 1.3 GB of disk until the old form is dropped, 1.3 GB of WAL"
        );
    }
}
