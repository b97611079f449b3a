//! The only place that prints: results on stdout, progress on stderr, and never a secret on either.

use std::collections::HashSet;
use std::io::{IsTerminal as _, Write as _};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::Value;

use crate::failure::Failure;
use crate::finding::{self, Finding};
use crate::step::{Status, Step};
use crate::variables;

/// What people see.
#[derive(Debug)]
pub struct Console {
    colour: bool,
    screen: Mutex<Screen>,
}

/// What is on it, and what must never be.
#[derive(Debug)]
struct Screen {
    secrets: Vec<String>,
    spinner: Option<ProgressBar>,
    /// Those already shown.
    remedies: HashSet<String>,
}

impl Console {
    /// A console on this process's stdout and stderr; `NO_COLOR` is honoured.
    #[must_use]
    pub fn new() -> Self {
        let colour = std::io::stderr().is_terminal() && !variables::no_color();
        Self { colour, screen: Mutex::new(Screen { secrets: Vec::new(), spinner: None, remedies: HashSet::new() }) }
    }

    /// From now on these texts are shown as `***`, whoever prints them.
    pub fn keep_secret(&self, secrets: impl IntoIterator<Item = String>) {
        let mut screen = self.screen();
        screen.secrets.extend(secrets.into_iter().filter(|secret| !secret.is_empty()));
        // The longest first: one secret may be a part of another.
        screen.secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        screen.secrets.dedup();
    }

    /// Something was done, or found done.
    pub fn step(&self, step: &Step) {
        let line = step.to_string();
        let status = step.status.to_string();
        let rest = line.strip_prefix(&status).unwrap_or(&line);
        let colour = match step.status {
            Status::Unchanged => "2",
            Status::LeftOut | Status::Pending => "33",
            _ => "1;32",
        };
        self.progress(&format!("{}{rest}", self.paint(&status, colour)));
        if let Some(remedy) = &step.remedy {
            self.remedy(remedy);
        }
    }

    /// What to do about the line above, once: three databases, one remedy.
    fn remedy(&self, remedy: &str) {
        if self.screen().remedies.insert(remedy.to_owned()) {
            remedy.lines().for_each(|line| self.progress(&format!("         {line}")));
        }
    }

    /// Something worth knowing that asks for nothing.
    pub fn note(&self, text: &str) {
        self.progress(&format!("{}: {text}", self.paint("note", "36")));
    }

    /// Something that should not stay as it is.
    pub fn warning(&self, text: &str) {
        self.progress(&format!("{}: {text}", self.paint("warning", "1;33")));
    }

    /// The same, as a check has found it.
    pub fn finding(&self, finding: &Finding) {
        self.warning(&finding.to_string());
        if let Some(remedy) = finding::remedies(std::slice::from_ref(finding)) {
            self.remedy(&remedy);
        }
    }

    /// A line of another program's output.
    pub fn passed_on(&self, program: &str, line: &str) {
        self.progress(&format!("{} {line}", self.paint(&format!("{program} |"), "2")));
    }

    /// Something that takes a while has begun: a spinner on a terminal, a line elsewhere. Ends with [`Console::done`].
    pub fn busy(&self, text: &str) {
        let text = self.redact(text);
        if !std::io::stderr().is_terminal() {
            return self.progress(&format!("{text} …"));
        }
        let mut screen = self.screen();
        if let Some(spinner) = &screen.spinner {
            spinner.set_message(text);
            return;
        }
        let spinner = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            spinner.set_style(style);
        }
        spinner.set_message(text);
        spinner.enable_steady_tick(Duration::from_millis(100));
        screen.spinner = Some(spinner);
    }

    /// What [`Console::busy`] announced is over.
    pub fn done(&self) {
        if let Some(spinner) = self.screen().spinner.take() {
            spinner.finish_and_clear();
        }
    }

    /// The result, on stdout.
    pub fn result(&self, text: &str) {
        let text = self.redact(text);
        self.beside_spinner(|| drop(writeln!(std::io::stdout(), "{text}")));
    }

    /// The result as JSON, on stdout. Its texts are cleared of secrets one by one: a password may look like a part of the
    /// notation.
    pub fn json(&self, document: &impl Serialize) {
        let text = match serde_json::to_value(document) {
            Ok(mut value) => {
                self.redact_values(&mut value);
                format!("{value:#}")
            }
            Err(error) => self.redact(&format!("{{\"error\": {:?}}}", error.to_string())),
        };
        self.secret_result(&text);
    }

    /// A line that *is* a secret, asked for by name (`db-server url`), on stdout.
    pub fn secret_result(&self, text: &str) {
        self.beside_spinner(|| drop(writeln!(std::io::stdout(), "{text}")));
    }

    /// Asks for a word of agreement; none where there is nobody to ask.
    ///
    /// # Errors
    /// When the terminal cannot be written to or read from.
    pub fn agrees(&self, question: &str) -> std::io::Result<Option<bool>> {
        if !std::io::stdin().is_terminal() {
            return Ok(None);
        }
        let question = self.redact(question);
        let mut answer = String::new();
        self.beside_spinner(|| {
            let mut terminal = std::io::stderr();
            write!(terminal, "{question} [y/N] ")?;
            terminal.flush()?;
            std::io::stdin().read_line(&mut answer)
        })?;
        Ok(Some(matches!(answer.trim(), "y" | "Y" | "yes")))
    }

    /// An error: what, why, next.
    pub fn error(&self, error: &dyn Failure) {
        let rendered = render(error);
        let (first, rest) = rendered.split_once('\n').unwrap_or((&rendered, ""));
        self.progress(&format!("{}: {first}", self.paint("error", "1;31")));
        if !rest.is_empty() {
            self.progress(rest);
        }
    }

    /// A usage error, in the words of whoever read the command line.
    #[cfg(feature = "arguments")]
    pub(crate) fn usage(&self, plain: &str, coloured: &str) {
        self.progress(if self.colour { coloured } else { plain }.trim_end());
    }

    /// A text without its secrets.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        let screen = self.screen();
        screen.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
    }

    fn redact_values(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.redact(text),
            Value::Array(values) => values.iter_mut().for_each(|value| self.redact_values(value)),
            Value::Object(fields) => fields.values_mut().for_each(|value| self.redact_values(value)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn progress(&self, line: &str) {
        let line = self.redact(line);
        // A closed stderr is no reason to stop.
        self.beside_spinner(|| drop(writeln!(std::io::stderr(), "{line}")));
    }

    fn beside_spinner<T>(&self, print: impl FnOnce() -> T) -> T {
        let spinner = self.screen().spinner.clone();
        match spinner {
            Some(spinner) => spinner.suspend(print),
            None => print(),
        }
    }

    fn paint(&self, text: &str, code: &str) -> String {
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn screen(&self) -> MutexGuard<'_, Screen> {
        self.screen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Console {
    fn default() -> Self {
        Self::new()
    }
}

/// What, why, next, without the leading `error: `.
fn render(error: &dyn Failure) -> String {
    let mut text = error.to_string();
    for cause in error.causes() {
        for (index, line) in cause.trim_end().lines().enumerate() {
            text += if index == 0 { "\n  caused by: " } else { "\n             " };
            text += line;
        }
    }
    if let Some(hint) = error.hint() {
        text += "\n\nhint: ";
        text += &hint.replace('\n', "\n      ");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot read the number")]
    struct NoNumber(#[source] std::num::ParseIntError);

    impl Failure for NoNumber {
        fn hint(&self) -> Option<String> {
            Some("write digits".into())
        }
    }

    #[test]
    fn secrets_are_hidden_in_every_form() {
        let console = Console::new();
        console.keep_secret(["p@ss".to_owned(), "p%40ss".to_owned()]);
        assert_eq!(console.redact("p@ss and p%40ss"), "*** and ***");
    }

    #[test]
    fn json_stays_json_whatever_the_password() {
        let console = Console::new();
        console.keep_secret(["1".to_owned()]);
        let mut value = serde_json::json!({ "version": 1, "steps": [{ "detail": "0.8.1" }] });
        console.redact_values(&mut value);
        assert_eq!(value, serde_json::json!({ "version": 1, "steps": [{ "detail": "0.8.***" }] }));
    }

    #[test]
    fn an_error_says_what_why_and_next_once() {
        let text = render(&NoNumber("x".parse::<u8>().unwrap_err()));
        assert_eq!(text, "cannot read the number\n  caused by: invalid digit found in string\n\nhint: write digits");
    }
}
