//! Many steps in few lines: what was unchanged or loaded, in one line a layer and database; what was left out, once for all
//! databases.

use std::time::Duration;

use crate::elapsed::Elapsed;
use crate::step::{Status, Step};

/// A line, and what to do about it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) status: Status,
    pub(crate) text: String,
    pub(crate) remedy: Option<String>,
}

/// Holds steps back until it is known what they are folded with.
#[derive(Debug, Default)]
pub(crate) struct Fold {
    /// All of one status, layer and database.
    alike: Vec<Step>,
    left_out: Vec<Step>,
}

impl Fold {
    /// Takes a step, and gives what can be shown by now.
    pub(crate) fn take(&mut self, step: &Step) -> Vec<Line> {
        if step.status == Status::LeftOut {
            self.left_out.push(step.clone());
            return Vec::new();
        }
        let kind = |step: &Step| (step.database.clone(), step.layer, step.status);
        let mut lines = Vec::new();
        if self.alike.first().is_some_and(|held| kind(held) != kind(step)) {
            lines.extend(self.folded());
        }
        if matches!(step.status, Status::Unchanged | Status::Loaded) {
            self.alike.push(step.clone());
        } else {
            lines.push(Line::from(step));
        }
        lines
    }

    /// What is still held back.
    pub(crate) fn rest(&mut self) -> Vec<Line> {
        let mut lines: Vec<Line> = self.folded().into_iter().collect();
        let mut left_out = std::mem::take(&mut self.left_out);
        while let Some(first) = left_out.first().cloned() {
            let is_same =
                |step: &Step| Step { database: None, ..step.clone() } == Step { database: None, ..first.clone() };
            let (same, others): (Vec<Step>, Vec<Step>) = left_out.into_iter().partition(is_same);
            lines.push(for_all(&same));
            left_out = others;
        }
        lines
    }

    fn folded(&mut self) -> Option<Line> {
        in_one(&std::mem::take(&mut self.alike))
    }
}

impl From<&Step> for Line {
    fn from(step: &Step) -> Self {
        Self { status: step.status, text: step.to_string(), remedy: step.remedy.clone() }
    }
}

/// ``Unchanged Ecto in `dev`: 6 migrations``
fn in_one(steps: &[Step]) -> Option<Line> {
    let (first, others) = steps.split_first()?;
    if others.is_empty() {
        return Some(first.into());
    }
    let place = first.database.as_ref().map(|database| format!(" in `{database}`")).unwrap_or_default();
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for step in steps {
        match counts.iter_mut().find(|(object, _)| *object == step.object) {
            Some((_, count)) => *count += 1,
            None => counts.push((step.object, 1)),
        }
    }
    let counts: Vec<String> = counts.into_iter().map(|(object, count)| counted(object, count)).collect();
    let took: Duration = steps.iter().filter_map(|step| step.duration).sum();
    let took = if took.is_zero() { String::new() } else { format!(" ({})", Elapsed(took)) };
    let text = format!("{} {}{place}: {}{took}", first.status, layer(first.layer), counts.join(", "));
    Some(Line { status: first.status, text, remedy: None })
}

/// ``Left out extension `timescaledb` in 3 databases: this server does not offer it``
fn for_all(steps: &[Step]) -> Line {
    let databases: Vec<&str> = steps.iter().filter_map(|step| step.database.as_deref()).collect();
    let first = &steps[0];
    let mut line = Line::from(first);
    if let [one, _, ..] = databases[..] {
        line.text = line.text.replacen(&format!(" in `{one}`"), &format!(" in {} databases", databases.len()), 1);
    }
    line
}

fn layer(name: &'static str) -> &'static str {
    match name {
        "ecto" => "Ecto",
        "sqlx" => "performance layer",
        name => name,
    }
}

fn counted(object: &str, count: usize) -> String {
    match (object, count) {
        ("triggers" | "codes", 1) => format!("{object} of 1 table"),
        (object, 1) => format!("1 {object}"),
        ("index", count) => format!("{count} indexes"),
        ("triggers" | "codes", count) => format!("{object} of {count} tables"),
        (object, count) => format!("{count} {object}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(database: &str, layer: &'static str, object: &'static str, name: &str, status: Status) -> Step {
        Step::new(database, layer, object, name, status)
    }

    fn told(steps: &[Step]) -> Vec<String> {
        let mut fold = Fold::default();
        let mut lines: Vec<Line> = steps.iter().flat_map(|step| fold.take(step)).collect();
        lines.extend(fold.rest());
        lines.into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn what_was_unchanged_is_one_line_a_layer_and_database() {
        let of = |database: &str| {
            vec![
                step(database, "bootstrap", "database", database, Status::Unchanged),
                step(database, "ecto", "migration", "1", Status::Unchanged),
                step(database, "ecto", "migration", "2", Status::Unchanged),
                step(database, "sqlx", "migration", "3", Status::Applied).took(Duration::from_millis(7)),
                step(database, "sqlx", "layout", "a", Status::Unchanged),
                step(database, "sqlx", "layout", "b", Status::Unchanged),
            ]
        };
        assert_eq!(
            told(&[of("dev"), of("test")].concat()),
            [
                "Unchanged database `dev`",
                "Unchanged Ecto in `dev`: 2 migrations",
                "Applied migration `3` in `dev` (7 ms)",
                "Unchanged performance layer in `dev`: 2 layouts",
                "Unchanged database `test`",
                "Unchanged Ecto in `test`: 2 migrations",
                "Applied migration `3` in `test` (7 ms)",
                "Unchanged performance layer in `test`: 2 layouts",
            ]
        );
    }

    #[test]
    fn what_was_loaded_at_once_is_said_at_once() {
        let mut steps = vec![step("dev", "ecto", "migration", "1", Status::Loaded).took(Duration::from_millis(41))];
        steps.push(step("dev", "ecto", "migration", "2", Status::Loaded));
        assert_eq!(told(&steps), ["Loaded Ecto in `dev`: 2 migrations (41 ms)"]);
    }

    #[test]
    fn what_was_left_out_is_said_once_for_all_databases() {
        let left_out = |database: &str, name: &str| {
            step(database, "bootstrap", "extension", name, Status::LeftOut).detail("this server does not offer it")
        };
        let steps = [left_out("dev", "a"), left_out("dev", "b"), left_out("test", "a")];
        let lines = ["in 2 databases", "in `dev`"];
        let line = |name, place| format!("Left out extension `{name}` {place}: this server does not offer it");
        assert_eq!(told(&steps), [line("a", lines[0]), line("b", lines[1])]);
    }
}
