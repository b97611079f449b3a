//! The only place that prints: results on stdout, progress on stderr, and never a secret on either.

use std::collections::HashSet;
use std::io::{IsTerminal as _, Write as _};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::Value;

use crate::Failure;
use crate::error::causes;
use crate::step::{Status, Step};

/// What people see.
#[derive(Debug)]
pub struct Console {
    colour: bool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    secrets: Vec<String>,
    spinner: Option<ProgressBar>,
    /// Those already shown.
    remedies: HashSet<String>,
}

impl Console {
    /// A console on this process's stdout and stderr; `NO_COLOR` is honoured.
    #[must_use]
    pub fn new() -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let colour = std::io::stderr().is_terminal() && !plain;
        Self { colour, state: Mutex::new(State { secrets: Vec::new(), spinner: None, remedies: HashSet::new() }) }
    }

    /// From now on these texts are shown as `***`, whoever prints them.
    pub fn keep_secret(&self, secrets: impl IntoIterator<Item = String>) {
        let mut state = self.state();
        state.secrets.extend(secrets.into_iter().filter(|secret| !secret.is_empty()));
        // The longest first: one secret may be a part of another.
        state.secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        state.secrets.dedup();
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
        // Three databases, one remedy.
        if let Some(remedy) = step.remedy.as_ref().filter(|remedy| self.state().remedies.insert((*remedy).clone())) {
            self.progress(&format!("         {remedy}"));
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
        let mut state = self.state();
        if let Some(spinner) = &state.spinner {
            spinner.set_message(text);
            return;
        }
        let spinner = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            spinner.set_style(style);
        }
        spinner.set_message(text);
        spinner.enable_steady_tick(Duration::from_millis(100));
        state.spinner = Some(spinner);
    }

    /// What [`Console::busy`] announced is over.
    pub fn done(&self) {
        if let Some(spinner) = self.state().spinner.take() {
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

    /// An error: what, why, next.
    pub fn error(&self, error: &dyn Failure) {
        let rendered = render(error);
        let (first, rest) = rendered.split_once('\n').unwrap_or((&rendered, ""));
        self.progress(&format!("{}: {first}", self.paint("error", "1;31")));
        if !rest.is_empty() {
            self.progress(rest);
        }
    }

    /// A text without its secrets.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        let state = self.state();
        state.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
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

    fn beside_spinner(&self, print: impl FnOnce()) {
        let spinner = self.state().spinner.clone();
        match spinner {
            Some(spinner) => spinner.suspend(print),
            None => print(),
        }
    }

    fn paint(&self, text: &str, code: &str) -> String {
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
    for cause in causes(error as &(dyn std::error::Error + 'static)) {
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
    use crate::{DatabaseUrl, Error};

    #[test]
    fn secrets_are_hidden_in_every_form() {
        let console = Console::new();
        console.keep_secret(DatabaseUrl::parse("postgres://u:p%40ss@h/d").unwrap().secrets());
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
        let source = DatabaseUrl::parse("mysql://h/d").unwrap_err();
        let text = render(&Error::DatabaseUrl(source));
        assert_eq!(
            text,
            "cannot read the database URL\n  caused by: its scheme is `mysql`, not `postgres`\n\nhint: write `postgres://user:password@host:5432/database`"
        );
    }
}
