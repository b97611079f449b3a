//! The machine: what is done in each phase, where that leads, and what a kill in it leaves. One match, so that the three
//! cannot disagree.

use database::Statement;

use super::{capturing, catching_up, indexing, shadow, swapped, verified};
use crate::job::{Job, Phase};

/// What is done in a phase.
pub(crate) struct Duty {
    /// What comes first: over many transactions, or outside of any.
    pub(crate) work: Work,
    /// What the statements do, in a word or two.
    pub(crate) doing: &'static str,
    /// What is run then, in the transaction that moves the job on.
    pub(crate) statements: fn(&Job) -> Vec<Statement>,
    /// The phase that it leads to.
    pub(crate) next: Phase,
    /// What a kill in this phase leaves, and what the next run makes of it.
    pub(crate) after_a_kill: &'static str,
}

/// What takes more than a list of statements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// The statements are all.
    Nothing,
    /// Rows are divided into ranges, which go into the journal with the move.
    Divide,
    /// Ranges are copied.
    Copy,
    /// Indexes are built.
    BuildIndexes,
    /// The log is drained; the swap then does statements and move under its lock.
    Swap,
    /// Both forms are compared, and older transactions waited for.
    Compare,
}

/// None where a job has ended.
pub(crate) fn duty(phase: Phase) -> Option<Duty> {
    let nothing = |_: &Job| Vec::new();
    Some(match phase {
        Phase::Planned => Duty {
            work: Work::Nothing,
            doing: "preparing",
            statements: shadow::statements,
            next: Phase::Shadow,
            after_a_kill: "a row in the journal; the next run goes on with it, or gives it up if another layout is wanted by then",
        },
        Phase::Shadow => Duty {
            work: Work::Nothing,
            doing: "capturing writes",
            statements: capturing::statements,
            next: Phase::Capturing,
            after_a_kill: "the new form, empty; writers do not notice it",
        },
        Phase::Capturing => Duty {
            work: Work::Divide,
            doing: "dividing",
            statements: nothing,
            next: Phase::Backfilling,
            after_a_kill: "the log, which writers go on filling",
        },
        Phase::Backfilling => Duty {
            work: Work::Copy,
            doing: "ending the copy",
            statements: nothing,
            next: Phase::Indexing,
            after_a_kill: "the ranges as far as they are copied; at most one batch a connection is copied again",
        },
        Phase::Indexing => Duty {
            work: Work::BuildIndexes,
            doing: "attaching indexes",
            statements: indexing::attach,
            next: Phase::CatchingUp,
            after_a_kill: "the indexes that are whole; the others are built",
        },
        Phase::CatchingUp => Duty {
            work: Work::Swap,
            doing: "swapping",
            statements: catching_up::swap,
            next: Phase::Swapped,
            after_a_kill: "the rest of the log; an entry and its effect go together",
        },
        Phase::Swapped => Duty {
            work: Work::Compare,
            doing: "admitting all writers",
            statements: swapped::settle,
            next: Phase::Verified,
            after_a_kill: "both forms, the new one in use; they are compared from the start",
        },
        Phase::Verified => Duty {
            work: Work::Nothing,
            doing: "dropping the old form",
            statements: verified::clean,
            next: Phase::Cleaned,
            after_a_kill: "the old form, which is dropped",
        },
        Phase::Cleaned | Phase::Abandoned => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_goes_through_all_phases_in_order() {
        let mut phases = vec![Phase::Planned];
        while let Some(duty) = duty(phases[phases.len() - 1]) {
            assert!(!duty.after_a_kill.is_empty() && !duty.doing.is_empty());
            phases.push(duty.next);
        }
        assert_eq!(phases, Phase::ALL[..Phase::ALL.len() - 1]);
    }

    /// The page has a row for each phase: what is done, and what a kill leaves.
    #[test]
    fn the_page_says_what_a_kill_leaves() {
        let page = include_str!("../../../../docs/architecture.md");
        for phase in Phase::ALL {
            let row = page.lines().find(|line| line.starts_with(&format!("| `{phase}` |")));
            let row = row.unwrap_or_else(|| panic!("docs/architecture.md has no row for phase `{phase}`"));
            if let Some(duty) = duty(phase) {
                assert!(row.ends_with(&format!("| {} |", duty.after_a_kill)), "{row}\n{}", duty.after_a_kill);
            }
        }
    }
}
