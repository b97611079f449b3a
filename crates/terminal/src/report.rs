//! What `--json` prints: one document a run. Fields are only ever added; `version` counts the changes that break readers.

use std::time::Duration;

use serde::Serialize;

use crate::elapsed::{Elapsed, as_milliseconds};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::finding::{self, Finding};
use crate::step::{Status, Step};

/// The outcome of a whole run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Something was changed, and nothing is left to do.
    Changed,
    /// There was nothing to do.
    Unchanged,
    /// There is work to do, and this command does not do it.
    Pending,
    /// An error stopped it; steps tell how far it came.
    Failed,
}

/// The document.
#[derive(Debug, Serialize)]
pub struct Report {
    version: u32,
    command: &'static str,
    outcome: Outcome,
    exit_code: Exit,
    server: Option<ServerReport>,
    steps: Vec<Step>,
    notes: Vec<String>,
    errors: Vec<ErrorReport>,
    milliseconds: f64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<WarningReport>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    statements: Vec<StatementReport>,
}

/// A statement that a run would execute; only plans have them.
#[derive(Clone, Debug, Serialize)]
pub struct StatementReport {
    /// The object that it is about: a table.
    pub name: String,
    /// The phase of its job.
    pub phase: &'static str,
    /// What it is for.
    pub why: &'static str,
    /// The lock that it takes on what others use: `ACCESS EXCLUSIVE on public.code_files`.
    pub lock: Option<String>,
    /// Its text.
    pub sql: String,
}

/// The server of a run.
#[derive(Clone, Debug, Serialize)]
pub struct ServerReport {
    /// `url`, `local`, `embedded` or `container`.
    pub kind: String,
    /// Where, without the password.
    pub url: String,
    /// PostgreSQL's version, as far as it is known.
    pub postgresql: Option<String>,
}

#[derive(Debug, Serialize)]
struct ErrorReport {
    what: String,
    why: Vec<String>,
    next: Option<String>,
}

/// A finding that is no error.
#[derive(Debug, Serialize)]
struct WarningReport {
    rule: &'static str,
    what: String,
    next: Option<String>,
}

impl Report {
    /// The causes of its errors are what servers and other programs have said: each as `changed` has it.
    #[must_use]
    pub fn with_causes(mut self, changed: impl Fn(&str) -> String) -> Self {
        self.errors.iter_mut().flat_map(|error| &mut error.why).for_each(|cause| *cause = changed(cause));
        self
    }

    /// Sums a run up.
    #[must_use]
    pub fn new(
        command: &'static str,
        server: Option<ServerReport>,
        steps: Vec<Step>,
        notes: Vec<String>,
        errors: &[&dyn Failure],
        took: Duration,
    ) -> Self {
        let pending = steps.iter().any(|step| step.status == Status::Pending);
        let exit =
            errors.iter().map(|error| error.exit()).max().unwrap_or(if pending { Exit::Pending } else { Exit::Done });
        let outcome = if !errors.is_empty() {
            Outcome::Failed
        } else if pending {
            Outcome::Pending
        } else if steps.iter().any(Step::is_change) {
            Outcome::Changed
        } else {
            Outcome::Unchanged
        };
        let errors = errors
            .iter()
            .map(|error| ErrorReport { what: error.to_string(), why: error.causes(), next: error.hint() })
            .collect();
        Self {
            version: 1,
            command,
            outcome,
            exit_code: exit,
            server,
            steps,
            notes,
            errors,
            milliseconds: as_milliseconds(took),
            warnings: Vec::new(),
            statements: Vec::new(),
        }
    }

    /// Adds what should not stay as it is, and stops nothing.
    #[must_use]
    pub fn with_warnings(self, findings: &[Finding]) -> Self {
        let warning = |finding: &Finding| WarningReport {
            rule: finding.rule,
            what: finding.to_string(),
            next: finding::remedies(std::slice::from_ref(finding)),
        };
        Self { warnings: findings.iter().map(warning).collect(), ..self }
    }

    /// Adds what would be executed.
    #[must_use]
    pub fn with_statements(self, statements: Vec<StatementReport>) -> Self {
        Self { statements, ..self }
    }

    /// How the process ends.
    #[must_use]
    pub fn exit(&self) -> Exit {
        self.exit_code
    }

    /// The whole run in one word.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// How many steps have a status that `wanted` accepts.
    pub fn count(&self, wanted: impl Fn(Status) -> bool) -> usize {
        self.steps.iter().filter(|step| wanted(step.status)).count()
    }

    /// One line for people: `12 changed, 3 unchanged, 2 left out (1.2 s)`.
    #[must_use]
    pub fn summary(&self) -> String {
        let changed = self.steps.iter().filter(|step| step.is_change()).count();
        let counts = [
            (changed, "changed"),
            (self.count(|status| status == Status::Pending), "pending"),
            (self.count(|status| status == Status::Unchanged), "unchanged"),
            (self.count(|status| status == Status::Found), "found"),
            (self.count(|status| status == Status::Verified), "verified"),
            (self.count(|status| status == Status::LeftOut), "left out"),
        ];
        let mut parts: Vec<String> =
            counts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
        let only_looked = self.steps.iter().all(|step| step.status == Status::Found);
        if only_looked {
            parts.push("nothing to do".to_owned());
        }
        format!("{} ({})", parts.join(", "), Elapsed(Duration::from_secs_f64(self.milliseconds / 1e3)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot read the database URL")]
    struct Usage(#[source] std::num::ParseIntError);

    impl Failure for Usage {
        fn hint(&self) -> Option<String> {
            None
        }

        fn exit(&self) -> Exit {
            Exit::Usage
        }
    }

    fn steps(statuses: &[Status]) -> Vec<Step> {
        statuses.iter().map(|status| Step::new("d", "ecto", "migration", "1", *status)).collect()
    }

    fn report(statuses: &[Status], errors: &[&dyn Failure]) -> Report {
        Report::new("db-setup", None, steps(statuses), Vec::new(), errors, Duration::from_millis(1500))
    }

    #[test]
    fn the_outcome_follows_from_the_steps() {
        assert_eq!(report(&[Status::Unchanged, Status::LeftOut], &[]).outcome(), Outcome::Unchanged);
        assert_eq!(report(&[Status::Unchanged, Status::Applied], &[]).outcome(), Outcome::Changed);
        let pending = report(&[Status::Unchanged, Status::Pending], &[]);
        assert_eq!((pending.outcome(), pending.exit()), (Outcome::Pending, Exit::Pending));
        assert_eq!(pending.summary(), "1 pending, 1 unchanged (1.5 s)");
        assert_eq!(report(&[], &[]).summary(), "nothing to do (1.5 s)");
        assert_eq!(report(&[Status::Found], &[]).summary(), "1 found, nothing to do (1.5 s)");
        assert_eq!(report(&[Status::Verified, Status::Verified], &[]).summary(), "2 verified (1.5 s)");
    }

    #[test]
    fn causes_are_cleared_of_secrets() {
        let usage = Usage("x".parse::<u8>().unwrap_err());
        let cleared = report(&[], &[&usage]).with_causes(|cause| cause.replace("digit", "***"));
        let json = serde_json::to_value(&cleared).unwrap();
        assert_eq!(json["errors"][0]["what"], "cannot read the database URL");
        assert_eq!(json["errors"][0]["why"], serde_json::json!(["invalid *** found in string"]));
    }

    #[test]
    fn the_worst_error_decides_the_exit_code() {
        let usage = Usage("x".parse::<u8>().unwrap_err());
        let failed = report(&[Status::Applied], &[&usage]);
        assert_eq!((failed.outcome(), failed.exit()), (Outcome::Failed, Exit::Usage));
        let json: serde_json::Value = serde_json::to_value(&failed).unwrap();
        assert_eq!(json["errors"][0]["what"], "cannot read the database URL");
        assert_eq!(json["errors"][0]["why"][0], "invalid digit found in string");
    }
}
