//! Agreeing to a change of layout before it begins.

use terminal::console::Console;
use terminal::step::Step;

use crate::problem::Problem;

/// Asks on a terminal; elsewhere only `--yes` will do.
pub(crate) fn consent(steps: &[Step], yes: bool, console: &Console) -> Result<(), Problem> {
    if yes {
        return Ok(());
    }
    match console.agrees(&question(steps)).map_err(Problem::Terminal)? {
        Some(true) => Ok(()),
        Some(false) | None => Err(Problem::NoConsent),
    }
}

/// With what it takes, as the steps have it.
fn question(steps: &[Step]) -> String {
    let changes = steps.iter().map(|step| format!("{} to {}", step.name, step.detail.as_deref().unwrap_or_default()));
    format!("Copy all rows concerned: {}?", changes.collect::<Vec<_>>().join("; "))
}

#[cfg(test)]
mod tests {
    use relayout::layout::{Division, Estimate, Layout, Shape};

    use super::*;
    use crate::layout::{Declaration, pending};

    #[test]
    fn the_question_says_rows_time_and_disk_once_a_table() {
        let layout = |desired: u32, rows| Layout {
            table: "t".into(),
            desired: Shape::even("r", "p", desired),
            actual: Shape::even("r", "p", 16),
            division: Division::Hash { key: "r".into(), path_key: "p".into() },
            damage: Vec::new(),
            phase: None,
            estimate: Some(Estimate { rows, ..Estimate::default() }),
        };
        let declaration = |desired| Declaration {
            layout: layout(16, 0),
            desired: Shape::even("r", "p", desired),
            what: desired.to_string(),
        };
        let steps = pending(&[declaration(8), declaration(1)], &[layout(8, 7), layout(1, 9)], "d");
        let question = question(&steps);
        assert!(
            question.starts_with("Copy all rows concerned: t to 8; t to 1: about 9 rows; about 0 s ("),
            "{question}"
        );
        assert!(question.ends_with(" of WAL?"), "{question}");
    }
}
