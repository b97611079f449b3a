//! The only place that prints: results on stdout, progress on stderr. Nothing of ours holds a secret; what others print is
//! searched for those that we know.

use std::collections::HashSet;
use std::io::{IsTerminal as _, Write as _};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use crate::activity::{Activity, Watcher};
use crate::board::{Board, Job};
use crate::failure::Failure;
use crate::finding::{self, Finding};
use crate::fold::{Fold, Line};
use crate::secret::Secret;
use crate::step::{Status, Step};
use crate::variables;

/// What people see.
#[derive(Debug)]
pub struct Console {
    colour: bool,
    board: Board,
    screen: Mutex<Screen>,
}

impl Watcher for Console {
    fn began(&self, label: &str) -> Box<dyn Activity + '_> {
        Box::new(self.job(label))
    }
}

/// What is on it, and what must never be.
#[derive(Debug)]
struct Screen {
    secrets: Vec<Secret>,
    /// Those already shown.
    remedies: HashSet<String>,
    /// None where every step has a line of its own.
    fold: Option<Fold>,
}

impl Console {
    /// A console on this process's stdout and stderr; `NO_COLOR` is honoured.
    #[must_use]
    pub fn new() -> Self {
        let is_terminal = std::io::stderr().is_terminal() && !variables::is_terminal_dumb();
        let colour = is_terminal && !variables::no_color();
        let screen = Mutex::new(Screen { secrets: Vec::new(), remedies: HashSet::new(), fold: Some(Fold::default()) });
        Self { colour, board: Board::new(is_terminal, colour), screen }
    }

    /// From now on it is hidden in what other programs and servers print.
    pub fn keep_secret(&self, secrets: impl IntoIterator<Item = Secret>) {
        self.screen().secrets.extend(secrets);
    }

    /// From now on every step has a line of its own.
    pub fn unfold(&self) {
        self.screen().fold = None;
    }

    /// Something was done, or found done. What can be folded with others is held back, until [`Console::done`] at the latest.
    pub fn step(&self, step: &Step) {
        let lines = self.screen().fold.as_mut().map_or_else(|| vec![Line::from(step)], |fold| fold.take(step));
        self.lines(&lines);
    }

    fn lines(&self, lines: &[Line]) {
        for Line { status, text, remedy } in lines {
            let colour = match status {
                Status::Unchanged | Status::Found | Status::Verified => "2",
                Status::LeftOut | Status::Pending => "33",
                _ => "1;32",
            };
            let status = status.to_string();
            let rest = text.strip_prefix(&status).unwrap_or(text);
            self.progress(&format!("{}{rest}", self.paint(&status, colour)));
            if let Some(remedy) = remedy {
                self.remedy(remedy);
            }
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

    /// A line of another program's output, without its secrets.
    pub fn passed_on(&self, program: &str, line: &str) {
        let line = self.hide_secrets(line);
        self.progress(&format!("{} {line}", self.paint(&format!("{program} |"), "2")));
    }

    /// Something that takes a while has begun: a line of its own, until what is given back is dropped.
    #[must_use]
    pub fn job(&self, label: &str) -> Job {
        self.board.began(label)
    }

    /// The work is over, whatever goes on: no line of it is shown any more, and nothing is held back.
    pub fn done(&self) {
        self.board.clear();
        let rest = self.screen().fold.as_mut().map(Fold::rest);
        self.lines(&rest.unwrap_or_default());
    }

    /// What somebody can do next.
    pub fn next(&self, line: &str) {
        self.progress(line);
    }

    /// The result, on stdout.
    pub fn result(&self, text: &str) {
        self.board.beside(|| drop(writeln!(std::io::stdout(), "{text}")));
    }

    /// What is shown on stdout next takes the place of what was there, where that is a terminal.
    pub fn clear(&self) {
        let stdout = ::console::Term::stdout();
        if stdout.is_term() && !variables::is_terminal_dumb() {
            self.board.beside(|| drop(stdout.clear_screen()));
        }
    }

    /// The result as JSON, on stdout.
    pub fn json(&self, document: &impl Serialize) {
        let text = match serde_json::to_string_pretty(document) {
            Ok(text) => text,
            Err(error) => format!("{{\"error\": {:?}}}", error.to_string()),
        };
        self.result(&text);
    }

    /// Asks for a word of agreement; none where there is nobody to ask.
    ///
    /// # Errors
    /// When the terminal cannot be written to or read from.
    pub fn agrees(&self, question: &str) -> std::io::Result<Option<bool>> {
        if !std::io::stdin().is_terminal() {
            return Ok(None);
        }
        let mut answer = String::new();
        self.board.held(|| {
            let mut terminal = std::io::stderr();
            write!(terminal, "{question} [y/N] ")?;
            terminal.flush()?;
            std::io::stdin().read_line(&mut answer)
        })?;
        Ok(Some(matches!(answer.trim(), "y" | "Y" | "yes")))
    }

    /// An error: what, why, next.
    pub fn error(&self, error: &dyn Failure) {
        let causes = error.causes().iter().map(|cause| self.hide_secrets(cause)).collect();
        let rendered = render(error, causes);
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

    /// What another program or a server has said, without its secrets.
    #[must_use]
    pub fn hide_secrets(&self, text: &str) -> String {
        self.screen().secrets.iter().fold(text.to_owned(), |text, secret| secret.hidden_in(&text))
    }

    fn progress(&self, line: &str) {
        // A closed stderr is no reason to stop.
        self.board.beside(|| drop(writeln!(std::io::stderr(), "{}{line}", self.board.edge())));
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
fn render(error: &dyn Failure, causes: Vec<String>) -> String {
    let mut text = error.to_string();
    for cause in causes {
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
    fn an_error_says_what_why_and_next_once() {
        let error = NoNumber("x".parse::<u8>().unwrap_err());
        let text = render(&error, error.causes());
        assert_eq!(text, "cannot read the number\n  caused by: invalid digit found in string\n\nhint: write digits");
    }
}
