//! The journal: one row a job, moved from phase to phase in the transaction that does the phase's work.

use std::fmt;

use serde_json::Value;
use sqlx::PgConnection;

use super::definition::Definition;
use super::shape::Shape;

/// How far a job has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// It is in the journal.
    Planned,
    /// The empty new form is there.
    Shadow,
    /// Writers log the keys that they change.
    Capturing,
    /// Rows are being copied.
    Backfilling,
    /// Indexes are being built.
    Indexing,
    /// The log is being drained, and the lock for the swap asked for.
    CatchingUp,
    /// The new form has taken the table's place; both are being compared.
    Swapped,
    /// They were found equal.
    Verified,
    /// The old form is gone.
    Cleaned,
    /// It was given up before the swap, and what it had made is gone.
    Abandoned,
}

impl Phase {
    const ALL: [Self; 10] = [
        Self::Planned,
        Self::Shadow,
        Self::Capturing,
        Self::Backfilling,
        Self::Indexing,
        Self::CatchingUp,
        Self::Swapped,
        Self::Verified,
        Self::Cleaned,
        Self::Abandoned,
    ];

    /// As the journal has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Shadow => "shadow",
            Self::Capturing => "capturing",
            Self::Backfilling => "backfilling",
            Self::Indexing => "indexing",
            Self::CatchingUp => "catching_up",
            Self::Swapped => "swapped",
            Self::Verified => "verified",
            Self::Cleaned => "cleaned",
            Self::Abandoned => "abandoned",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.name() == name)
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// An unfinished job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Job {
    pub(crate) id: i64,
    pub(crate) table: String,
    pub(crate) target: Shape,
    /// The table as it was found.
    pub(crate) definition: Definition,
    pub(crate) phase: Phase,
    /// Key of the last row copied.
    pub(crate) checkpoint: Option<Vec<String>>,
    pub(crate) rows_copied: i64,
}

impl Job {
    /// The one on its way for this table, if there is one.
    pub(crate) async fn unfinished(connection: &mut PgConnection, table: &str) -> Result<Option<Self>, sqlx::Error> {
        let row = sqlx::query_file!("queries/unfinished_job.sql", table).fetch_optional(connection).await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(Self {
            id: row.id,
            table: table.to_owned(),
            target: decode(row.target)?,
            definition: decode(row.definition)?,
            phase: Phase::parse(&row.phase)
                .ok_or_else(|| sqlx::Error::Decode(format!("unknown phase `{}`", row.phase).into()))?,
            checkpoint: row.checkpoint,
            rows_copied: row.rows_copied,
        }))
    }

    /// Writes a new one.
    pub(crate) async fn plan(
        connection: &mut PgConnection,
        table: &str,
        target: Shape,
        definition: Definition,
    ) -> Result<Self, sqlx::Error> {
        let (target_document, document) = (encode(&target)?, encode(&definition)?);
        let id = sqlx::query_scalar!(
            "INSERT INTO db_service.relayout_job (table_name, target, definition) VALUES ($1, $2, $3) RETURNING id",
            table,
            target_document,
            document
        )
        .fetch_one(connection)
        .await?;
        let table = table.to_owned();
        Ok(Self { id, table, target, definition, phase: Phase::Planned, checkpoint: None, rows_copied: 0 })
    }

    /// Moves it on, inside the transaction that has done the work; fails if somebody else has moved it. The caller sets
    /// [`Job::phase`] once that is committed.
    pub(crate) async fn advance(&self, transaction: &mut PgConnection, to: Phase) -> Result<(), sqlx::Error> {
        let moved = sqlx::query!(
            "UPDATE db_service.relayout_job SET phase = $3, updated_at = now() WHERE id = $1 AND phase = $2",
            self.id,
            self.phase.name(),
            to.name()
        )
        .execute(transaction)
        .await?;
        if moved.rows_affected() == 1 { Ok(()) } else { Err(sqlx::Error::RowNotFound) }
    }

    /// Notes how far the copy has come, inside the transaction that has copied.
    pub(crate) async fn note_checkpoint(
        &self,
        transaction: &mut PgConnection,
        checkpoint: &[String],
        rows: i64,
    ) -> Result<(), sqlx::Error> {
        let noted = sqlx::query!(
            "UPDATE db_service.relayout_job SET checkpoint = $3, rows_copied = $4, updated_at = now() WHERE id = $1 AND phase = $2",
            self.id,
            self.phase.name(),
            checkpoint,
            rows
        )
        .execute(transaction)
        .await?;
        if noted.rows_affected() == 1 { Ok(()) } else { Err(sqlx::Error::RowNotFound) }
    }
}

fn encode(value: &impl serde::Serialize) -> Result<Value, sqlx::Error> {
    serde_json::to_value(value).map_err(|error| sqlx::Error::Encode(error.into()))
}

fn decode<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, sqlx::Error> {
    serde_json::from_value(value).map_err(|error| sqlx::Error::Decode(error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phase_is_read_back_as_it_was_written() {
        for phase in Phase::ALL {
            assert_eq!(Phase::parse(phase.name()), Some(phase));
        }
        assert_eq!(Phase::parse("nowhere"), None);
    }
}
