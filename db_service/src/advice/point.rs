//! One point of advice.

use std::fmt;

use serde_json::Value;
use terminal::Finding;

use super::measured::Table;
use super::unknown::Unknown;

/// What was found about one thing, whether something is to be done about it, and what.
#[derive(Clone, Debug, PartialEq)]
pub struct Advice {
    /// In a word.
    pub verdict: Verdict,
    /// The rule, the figures in words, why they matter, and the command.
    pub finding: Finding,
    /// The figures, for programs.
    pub figures: Value,
}

/// Whether something is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Yes.
    ToDo,
    /// It depends on something that this role or SQL cannot see.
    NotKnown,
    /// No.
    Fine,
}

impl Verdict {
    /// As `--json` has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ToDo => "to_do",
            Self::NotKnown => "not_known",
            Self::Fine => "fine",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::ToDo => "to do",
            Self::NotKnown => "not known",
            Self::Fine => "fine",
        })
    }
}

impl Advice {
    pub(super) fn to_do(rule: &'static str, message: impl Into<String>, figures: Value) -> Self {
        Self { verdict: Verdict::ToDo, finding: Finding::new(rule, message), figures }
    }

    pub(super) fn fine(rule: &'static str, message: impl Into<String>, figures: Value) -> Self {
        Self { verdict: Verdict::Fine, finding: Finding::new(rule, message), figures }
    }

    /// The remedy of what is not known is what makes it known.
    pub(super) fn not_known(rule: &'static str, message: impl Into<String>, figures: Value, unknown: &Unknown) -> Self {
        let message = format!("{}: {unknown}", message.into());
        let finding = Finding { help: unknown.remedy.clone(), ..Finding::new(rule, message) };
        Self { verdict: Verdict::NotKnown, finding, figures }
    }

    /// Of which table.
    pub(super) fn at(mut self, table: &Table) -> Self {
        self.finding = self.finding.at(format!("table `{}`", table.name));
        self
    }

    /// Adds why it matters.
    pub(super) fn why(mut self, why: impl Into<String>) -> Self {
        self.finding = self.finding.help(why);
        self
    }

    /// Adds what is to be run: a command of the shell or SQL in each line, in order.
    pub(super) fn run(mut self, commands: &[impl AsRef<str>]) -> Self {
        let lines: Vec<&str> = commands.iter().map(AsRef::as_ref).collect();
        self.finding = self.finding.fix(lines.join("\n"));
        self
    }

    /// What is to be run, in order.
    pub fn commands(&self) -> impl Iterator<Item = &str> {
        self.finding.fix.iter().flat_map(|fix| fix.lines())
    }
}
