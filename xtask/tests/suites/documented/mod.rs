//! What is written is what is said: every message in the tables of README and of the operations guide is produced here,
//! and every command in the table of `docs/json.md` and in those of "Backups" is run as it stands there; the figures of
//! `docs/sizing.md` are computed.

mod any;
mod backups;
mod by_hand;
mod ecto;
mod json;
mod performance;
mod replication;
mod rights;
mod sizing;
mod statements;
mod table;
mod url;

use std::fs;

use crate::Test;
use crate::Verdict::{self, Passed, Skipped};
use crate::command::Run;
use crate::server::{TestServer, project};

/// Brings a message about: all that was said then, or why it cannot be had on this server.
type Produce = fn(&TestServer) -> Result<String, String>;

/// A table whose first column holds messages.
struct Messages {
    page: &'static str,
    heading: &'static str,
    /// The first code span of each row, and what brings its message about.
    rows: &'static [(&'static str, Produce)],
}

const TABLES: [&Messages; 7] = [
    &url::MESSAGES,
    &url::RULES,
    &rights::MESSAGES,
    &ecto::MESSAGES,
    &performance::MESSAGES,
    &any::MESSAGES,
    &by_hand::MESSAGES,
];

/// One test for each row that is written, and one for the rows that are not written any more.
pub(crate) fn tests() -> Vec<(String, Test)> {
    let mut tests = json::tests();
    tests.extend(sizing::tests());
    tests.extend(backups::tests().into_iter().chain(replication::tests()).chain(statements::tests()));
    tests.push((format!("{}::every_situation_has_its_row", module_path!()), Box::new(every_situation_has_its_row)));
    for messages in TABLES {
        for row in messages.written() {
            let name = format!("{}::{}", module_path!(), row[0]);
            tests.push((name, Box::new(move |server| messages.is_said(&row, server))));
        }
    }
    tests
}

fn every_situation_has_its_row(_: &TestServer) -> Verdict {
    for messages in TABLES {
        let written: Vec<String> = messages.written().into_iter().map(|row| row[0].clone()).collect();
        let produced: Vec<&str> = messages.rows.iter().map(|(message, _)| *message).collect();
        assert_eq!(written, produced, "`{}` of {}", messages.heading, messages.page);
    }
    Passed
}

impl Messages {
    /// The code spans in the first cell of each row.
    fn written(&self) -> Vec<Vec<String>> {
        let page = fs::read_to_string(project().join(self.page)).unwrap();
        table::rows(&page, self.heading).iter().map(|cells| table::code_spans(&cells[0])).collect()
    }

    fn is_said(&self, row: &[String], server: &TestServer) -> Verdict {
        let Some((_, produce)) = self.rows.iter().find(|(message, _)| *message == row[0]) else {
            panic!("nothing here brings about `{}` of {}", row[0], self.page);
        };
        match produce(server) {
            Ok(said) => {
                for message in row {
                    assert!(table::is_in(message, &said), "`{message}` is not in\n{said}");
                }
                Passed
            }
            Err(why) => Skipped(why),
        }
    }
}

/// What a run that was not to succeed has said.
#[expect(clippy::unnecessary_wraps, reason = "it is what a situation returns")]
#[track_caller]
fn refused(run: &Run) -> Result<String, String> {
    assert_ne!(run.code, 0, "it succeeded");
    Ok(run.stderr.clone())
}
