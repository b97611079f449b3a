//! What a job would run, as values: for `migrations plan`.

use database::Statement;
use sqlx::PgConnection;

use crate::job::{Job, Phase};
use crate::layout::Layout;
use crate::phase::machine::{Work, duty};
use crate::phase::{backfilling, catching_up, indexing};
use crate::table::definition::Definition;

/// The statements that lead out of a phase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhaseStatements {
    /// The phase.
    pub phase: Phase,
    /// The one that they lead to.
    pub next: Phase,
    /// What a kill in it leaves, and what the next run makes of that.
    pub after_a_kill: &'static str,
    /// In order.
    pub statements: Vec<Statement>,
}

/// The statements of the next job on the way to a table's layout, or of what is left of the one on its way. Writes nothing.
///
/// # Errors
/// When a query fails.
pub async fn preview(connection: &mut PgConnection, layout: &Layout) -> Result<Vec<PhaseStatements>, sqlx::Error> {
    if layout.is_reached() {
        return Ok(Vec::new());
    }
    let job = match Job::unfinished(connection, &layout.table).await? {
        Some(job) => job,
        None => match Definition::read(connection, &layout.public()).await? {
            Some(definition) => Job::next(layout, definition),
            None => return Ok(Vec::new()),
        },
    };
    let mut steps = Vec::new();
    let mut phase = job.phase;
    while let Some(duty) = duty(phase) {
        let mut statements = match duty.work {
            Work::Copy => backfilling::example(&job),
            Work::BuildIndexes => indexing::builds(&job),
            Work::Nothing | Work::Divide | Work::Swap | Work::Compare => Vec::new(),
        };
        statements.extend((duty.statements)(&job));
        if duty.work == Work::Swap {
            statements.extend(catching_up::made_anew(&catching_up::followers(connection, &job).await?));
        }
        if !statements.is_empty() {
            steps.push(PhaseStatements { phase, next: duty.next, after_a_kill: duty.after_a_kill, statements });
        }
        phase = duty.next;
    }
    Ok(steps)
}
