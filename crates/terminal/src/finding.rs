//! What a check has to say, whichever check it is: a rule between two ledgers, an obstacle to a new layout, damage.

use std::fmt;

/// One thing that a check has found.
///
/// A check gives all of them at once, never the first only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule's name, in words with hyphens: `ecto-pending`.
    pub rule: &'static str,
    /// Where, if the message does not say it: ``table `code_files` ``.
    pub place: Option<String>,
    /// What is so.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// The statement or command that mends it, ready to be pasted.
    pub fix: Option<String>,
}

impl Finding {
    /// A finding that stands by its message; the rest is set by the methods below.
    #[must_use]
    pub fn new(rule: &'static str, message: impl Into<String>) -> Self {
        Self { rule, place: None, message: message.into(), help: None, fix: None }
    }

    /// Adds where.
    #[must_use]
    pub fn at(mut self, place: impl Into<String>) -> Self {
        self.place = Some(place.into());
        self
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds what mends it.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }
}

/// ``table `code_files`: its column `id` is an identity column``
impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some(place) => write!(formatter, "{place}: {}", self.message),
            None => formatter.write_str(&self.message),
        }
    }
}

/// All of them in one line, as an error's text ends with them.
#[must_use]
pub fn joined(findings: &[Finding]) -> String {
    findings.iter().map(Finding::to_string).collect::<Vec<_>>().join("; ")
}

/// What to do about them, each said once; none if nothing is known.
#[must_use]
pub fn help(findings: &[Finding]) -> Option<String> {
    lines_once(findings.iter().filter_map(|finding| finding.help.clone()))
}

/// The same with what mends them, ready to be pasted.
#[must_use]
pub fn remedies(findings: &[Finding]) -> Option<String> {
    let fix = |finding: &Finding| finding.fix.as_ref().map(|fix| format!("`{fix}`"));
    lines_once(findings.iter().flat_map(|finding| finding.help.clone().into_iter().chain(fix(finding))))
}

fn lines_once(lines: impl Iterator<Item = String>) -> Option<String> {
    let mut said: Vec<String> = Vec::new();
    for line in lines {
        if !said.contains(&line) {
            said.push(line);
        }
    }
    (!said.is_empty()).then(|| said.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_are_said_with_their_place_and_helped_once() {
        let findings = [
            Finding::new("a", "it is odd").at("table `t`").help("mend it"),
            Finding::new("b", "index `i` is invalid").help("mend it").fix("DROP INDEX i"),
        ];
        assert_eq!(joined(&findings), "table `t`: it is odd; index `i` is invalid");
        assert_eq!(help(&findings).as_deref(), Some("mend it"));
        assert_eq!(remedies(&findings).as_deref(), Some("mend it\n`DROP INDEX i`"));
        assert_eq!(help(&[]), None);
    }
}
