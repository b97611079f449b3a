//! What a job would run, as values: for `migrations plan`.

use database::Statement;
use sqlx::PgConnection;

use crate::brake;
use crate::budget::Budget;
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

/// The statements of the next job on the way to a table's layout, or of what is left of the one on its way; among them how
/// writers are slowed down at most. Writes nothing.
///
/// # Errors
/// When a query fails.
pub async fn preview(
    connection: &mut PgConnection,
    layout: &Layout,
    budget: Budget,
) -> Result<Vec<PhaseStatements>, sqlx::Error> {
    if layout.is_reached() {
        return Ok(Vec::new());
    }
    let unfinished = Job::unfinished(connection, &layout.table).await?;
    // One that leads elsewhere is given up.
    let job = match unfinished.filter(|job| job.phase >= Phase::Swapped || job.leads_to(&layout.desired)) {
        Some(job) => job,
        None => match Definition::read(connection, &layout.public()).await? {
            Some(definition) => Job::next(layout, definition),
            None => return Ok(Vec::new()),
        },
    };
    let followers = catching_up::followers(connection, &job).await?;
    Ok(of_job(&job, &catching_up::made_anew(&followers), budget))
}

/// Those of a job, from the phase that it is in to its end. Pure.
fn of_job(job: &Job, made_anew: &[Statement], budget: Budget) -> Vec<PhaseStatements> {
    let mut steps = Vec::new();
    let mut phase = job.phase;
    while let Some(duty) = duty(phase) {
        let mut statements = match duty.work {
            Work::Copy => backfilling::example(job),
            Work::BuildIndexes => indexing::builds(job),
            Work::Swap => brake::example(job, budget.brake),
            Work::Nothing | Work::Divide | Work::Compare => Vec::new(),
        };
        statements.extend((duty.statements)(job));
        if duty.work == Work::Swap {
            statements.extend_from_slice(made_anew);
        }
        if !statements.is_empty() {
            steps.push(PhaseStatements { phase, next: duty.next, after_a_kill: duty.after_a_kill, statements });
        }
        phase = duty.next;
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::example::job;
    use crate::layout::{Leaf, Shape, Week};

    fn even(count: u32) -> Shape {
        Shape::even("repo_name", "path", count)
    }

    /// All that a job runs, as `migrations plan` shows it, but every statement.
    fn text(job: &Job) -> String {
        let made_anew = Statement::new("what was made from the table is made anew", "CREATE OR REPLACE VIEW v AS …");
        let phase = |it: PhaseStatements| {
            let statements: Vec<String> = it.statements.iter().map(Statement::to_string).collect();
            format!("-- {} → {}\n{}\n", it.phase, it.next, statements.join("\n"))
        };
        of_job(job, &[made_anew], Budget::MODEST).into_iter().map(phase).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn from_a_plain_table_to_leaves() {
        insta::assert_snapshot!(text(&job(Shape::Plain, even(2))));
    }

    #[test]
    fn from_leaves_to_a_plain_table() {
        insta::assert_snapshot!(text(&job(even(2), Shape::Plain)));
    }

    #[test]
    fn from_a_leaf_to_parts_by_path() {
        let leaf = Leaf::new(2, 1);
        insta::assert_snapshot!(text(&job(even(2), even(2).with(&[leaf], &[Leaf { paths: 2, ..leaf }]))));
    }

    fn in_time(source: Shape, target: Shape) -> Job {
        let mut job = job(source, target);
        job.definition.columns[1].data_type = "timestamp with time zone".into();
        job
    }

    fn weeks(last: i32, now: &Shape) -> Shape {
        Shape::weeks("path", (2970..=last).map(Week::new).collect(), now)
    }

    #[test]
    fn from_a_plain_table_to_weeks() {
        insta::assert_snapshot!(text(&in_time(Shape::Plain, weeks(2971, &Shape::Plain))));
    }

    #[test]
    fn from_weeks_to_more_weeks() {
        let first = weeks(2970, &Shape::Plain);
        insta::assert_snapshot!(text(&in_time(first.clone(), weeks(2971, &first))));
    }

    #[test]
    fn what_is_left_of_a_job_that_was_cut_off() {
        let cut_off = Job { phase: Phase::CatchingUp, ..job(Shape::Plain, even(2)) };
        let phases: Vec<Phase> = of_job(&cut_off, &[], Budget::MODEST).into_iter().map(|it| it.phase).collect();
        assert_eq!(phases, [Phase::CatchingUp, Phase::Swapped, Phase::Verified]);
    }
}
