//! The journal: one row a job, moved from phase to phase in the transaction that does the phase's work.

use database::Worker;
use sqlx::PgConnection;
use sqlx::types::Json;

use super::phase::Phase;
use crate::layout::{Layout, Shape};
use crate::table::definition::Definition;

/// An unfinished job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Job {
    pub(crate) id: i64,
    /// In `public`.
    pub(crate) table: String,
    /// The layout that it found.
    pub(crate) source: Shape,
    /// The layout that it builds.
    pub(crate) target: Shape,
    /// The table as it was found.
    pub(crate) definition: Definition,
    pub(crate) phase: Phase,
}

impl Job {
    /// The one on its way for this table, if there is one.
    pub(crate) async fn unfinished(connection: &mut PgConnection, table: &str) -> Result<Option<Self>, sqlx::Error> {
        let row = sqlx::query_file!("queries/unfinished_job.sql", table).fetch_optional(connection).await?;
        let Some(row) = row else { return Ok(None) };
        let phase = Phase::parse(&row.phase)
            .ok_or_else(|| sqlx::Error::Decode(format!("unknown phase `{}`", row.phase).into()))?;
        let (Json(source), Json(target), Json(definition)) = (row.source, row.target, row.definition);
        Ok(Some(Self { id: row.id, table: table.to_owned(), source, target, definition, phase }))
    }

    /// The next one on the way to a layout; not in the journal yet.
    pub(crate) fn next(layout: &Layout, definition: Definition) -> Self {
        let source = layout.actual.clone();
        let target = source.step_towards(&layout.desired);
        Self { id: 0, table: layout.table.clone(), source, target, definition, phase: Phase::Planned }
    }

    /// Writes it into the journal.
    pub(crate) async fn enter(self, worker: &mut Worker) -> Result<Self, sqlx::Error> {
        let id = sqlx::query_scalar!(
            "INSERT INTO db_service.relayout_job (table_name, source, target, definition) VALUES ($1, $2, $3, $4) RETURNING id",
            self.table,
            Json(&self.source) as _,
            Json(&self.target) as _,
            Json(&self.definition) as _
        )
        .fetch_one(&mut **worker)
        .await?;
        Ok(Self { id, ..self })
    }

    /// Whether it leads to the layout that is declared by now.
    pub(crate) fn leads_to(&self, desired: &Shape) -> bool {
        self.source.step_towards(desired) == self.target
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
}
