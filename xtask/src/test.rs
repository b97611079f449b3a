//! `test`: every test of the project, on every kind of server that can be had here, and one line that counts them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use terminal::Exit;
use terminal::console::Console;

use crate::cli::TestOptions;
use crate::error::Error;
use crate::process::ProcessError;
use crate::project::Project;

/// What the test programs have counted, and why tests were left out.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    passed: u64,
    failed: u64,
    skipped: u64,
    reasons: BTreeMap<String, u64>,
}

pub(crate) fn run(options: &TestOptions, project: &Project, console: &Console) -> Result<Exit, Error> {
    // The suites run the real programs, so these are built first. Building takes minutes, of which cargo tells.
    // All targets at once: what tests depend on adds features to what programs are made of, and twice is twice as long.
    cargo(project, &["build", "--workspace", "--all-targets"], &mut |line| console.result(line))?;
    let mut tally = Tally::default();
    let arguments = ["test", "--quiet", "--workspace", "--no-fail-fast", "--", "--format", "pretty"];
    let arguments = arguments.into_iter().chain(options.filter.as_deref()).collect::<Vec<_>>();
    let outcome = cargo(project, &arguments, &mut |line| {
        tally.read(line);
        console.result(line);
    });
    for (reason, count) in &tally.reasons {
        console.result(&format!("left out: {count} × {reason}"));
    }
    console.result(&format!("{} passed, {} failed, {} skipped", tally.passed, tally.failed, tally.skipped));
    outcome.map(|()| Exit::Done).map_err(Error::from)
}

/// Runs cargo in the project's folder and hands its lines over as they come.
fn cargo(project: &Project, arguments: &[&str], line: &mut dyn FnMut(&str)) -> Result<(), ProcessError> {
    let command = format!("cargo {}", arguments.join(" "));
    let failed = |source| ProcessError::Start { command: command.clone(), source };
    let mut cargo = Command::new("cargo");
    cargo.args(arguments).current_dir(project.root()).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = cargo.spawn().map_err(failed)?;
    if let Some(stdout) = child.stdout.take() {
        BufReader::new(stdout).lines().map_while(Result::ok).for_each(|text| line(&text));
    }
    let status = child.wait().map_err(failed)?;
    if status.success() { Ok(()) } else { Err(ProcessError::Status { command, status, states: BTreeSet::new() }) }
}

impl Tally {
    /// `test result: ok. 3 passed; 0 failed; 1 ignored; …` and `test a::b … ignored (why)`.
    fn read(&mut self, line: &str) {
        if let Some(counts) = line.strip_prefix("test result: ") {
            self.passed += number_before(counts, " passed");
            self.failed += number_before(counts, " failed");
            self.skipped += number_before(counts, " ignored");
        } else if let Some((_, reason)) = line.split_once("... ignored") {
            let reason = reason.trim_start_matches([' ', ',', '(']).trim_end_matches(')');
            *self.reasons.entry(reason.to_owned()).or_default() += 1;
        }
    }
}

fn number_before(text: &str, word: &str) -> u64 {
    let before = text.split_once(word).map_or("", |(before, _)| before);
    before.rsplit(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counts_of_all_test_programs_are_added() {
        let mut tally = Tally::default();
        for line in [
            "test embedded::a ... ok",
            "test embedded::b          ... ignored (mix is not installed)",
            "test c::d ... ignored, needs root",
            "test result: ok. 12 passed; 0 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.1s",
            "test result: FAILED. 3 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out",
        ] {
            tally.read(line);
        }
        let reasons = BTreeMap::from([("mix is not installed".to_owned(), 1), ("needs root".to_owned(), 1)]);
        assert_eq!(tally, Tally { passed: 15, failed: 1, skipped: 2, reasons });
    }
}
