//! What a job will take, said before it starts.

use std::fmt;
use std::time::Duration;

use database::Relation;
use sqlx::PgConnection;

use super::bytes::Bytes;
use super::shape::Shape;

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
    /// What the duration follows from.
    pub pace: Pace,
}

/// Rows that are copied, indexed and compared in a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// As on a machine of two cores, where nothing was measured here.
    Assumed(u64),
    /// As earlier jobs of this table did here.
    Measured(u64),
}

/// On two cores that others share: the slower of the two ways, of which each was measured with 200,000 rows.
const ROWS_A_SECOND: u64 = 20_000;
/// The same where an HNSW graph of 768 dimensions is built: one large graph, as a way back to a plain table has it.
const VECTORS_A_SECOND: u64 = 600;
/// What a job of no rows takes: leaves, indexes, locks.
const AT_LEAST: Duration = Duration::from_secs(1);

impl Estimate {
    /// For copying these tables.
    pub(crate) async fn of(connection: &mut PgConnection, sources: &[Relation]) -> Result<Self, sqlx::Error> {
        let (schemas, names): (Vec<String>, Vec<String>) =
            sources.iter().map(|it| (it.schema.clone(), it.name.clone())).unzip();
        let size = sqlx::query_file!("queries/layout_size.sql", &schemas, &names).fetch_one(connection).await?;
        let estimate = Self {
            rows: size.rows.cast_unsigned(),
            table_bytes: size.table_bytes.cast_unsigned(),
            bytes: size.table_bytes.cast_unsigned() + size.index_bytes.cast_unsigned(),
            ..Self::default()
        };
        let rows_a_second = if size.has_vector_index { VECTORS_A_SECOND } else { ROWS_A_SECOND };
        Ok(estimate.at(Pace::Assumed(rows_a_second)))
    }

    /// The same at the pace of earlier jobs that have brought a table into such a layout, if there were any.
    pub(crate) async fn as_measured(
        self,
        connection: &mut PgConnection,
        table: &str,
        desired: &Shape,
    ) -> Result<Self, sqlx::Error> {
        let is_plain = *desired == Shape::Plain;
        let rate = sqlx::query_file_scalar!("queries/measured_rate.sql", table, is_plain).fetch_one(connection).await?;
        Ok(match rate {
            Some(rate) => self.at(Pace::Measured(rate.cast_unsigned())),
            None => self,
        })
    }

    fn at(self, pace: Pace) -> Self {
        let (Pace::Assumed(rate) | Pace::Measured(rate)) = pace;
        let rows = Duration::from_millis(self.rows.saturating_mul(1000) / rate.max(1));
        Self { time: AT_LEAST + rows, pace, ..self }
    }
}

impl Default for Pace {
    fn default() -> Self {
        Self::Assumed(ROWS_A_SECOND)
    }
}

impl fmt::Display for Pace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Assumed(rate) => write!(formatter, "estimated with {rate} rows a second, as on two cores"),
            Self::Measured(rate) => write!(formatter, "estimated with {rate} rows a second, as earlier jobs here"),
        }
    }
}

impl fmt::Display for Estimate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (rows, bytes, pace) = (self.rows, Bytes(self.bytes), self.pace);
        let time = match self.time.as_millis().div_ceil(1000) {
            seconds @ 0..120 => format!("{seconds} s"),
            seconds @ 120..7200 => format!("{} min", seconds.div_ceil(60)),
            seconds => format!("{} h", seconds.div_ceil(3600)),
        };
        write!(
            formatter,
            "about {rows} rows; about {time} ({pace}), {bytes} of disk until the old form is dropped, {bytes} of WAL"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estimate_names_time_disk_and_wal_and_what_it_rests_on() {
        let of = |pace| Estimate { rows: 1_000_000, bytes: 1_300_000_000, ..Estimate::default() }.at(pace).to_string();
        assert_eq!(
            of(Pace::Measured(5000)),
            "about 1000000 rows; about 4 min (estimated with 5000 rows a second, as earlier jobs here), \
             1.3 GB of disk until the old form is dropped, 1.3 GB of WAL"
        );
        assert!(of(Pace::Assumed(50_000)).contains("about 21 s (estimated with 50000 rows a second, as on two cores)"));
        assert_eq!(Estimate::default().at(Pace::Assumed(0)).time, AT_LEAST);
    }
}
