//! Pages for whoever writes an application: their statements are understood, and their command lines run, as they stand there.

use std::fs;

use crate::Verdict::{self, Passed};
use crate::command::migrations;
use crate::database::{Database, Stage};
use crate::server::{TestServer, project};

crate::tests![their_statements_are_understood, its_command_lines_do_what_they_say];

/// What stands between fences of a language, without the remarks behind.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let page = fs::read_to_string(project().join(page)).unwrap();
    let fence = format!("```{language}\n");
    page.split(&fence).skip(1).map(|rest| rest.split_once("```").unwrap().0.to_owned()).collect()
}

fn their_statements_are_understood(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    for (page, count) in [("docs/deduplication.md", 2), ("docs/semantic-cache.md", 5)] {
        let blocks = blocks(page, "sql").join("\n");
        let statements: Vec<&str> =
            blocks.split(';').map(str::trim).filter(|statement| !statement.is_empty()).collect();
        assert_eq!(statements.len(), count, "{page}: {statements:?}");
        for statement in statements {
            database.execute(&format!("PREPARE asked AS {statement}"));
        }
    }
    Passed
}

fn its_command_lines_do_what_they_say(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    let lines: Vec<String> = blocks("docs/deduplication.md", "sh")
        .iter()
        .flat_map(|block| block.lines().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    assert_eq!(lines.len(), 4, "{lines:?}");
    for line in lines {
        let (command, _) = line.split_once('#').unwrap_or((&line, ""));
        let words: Vec<&str> = command.split_whitespace().skip(1).collect();
        migrations(&database.url_text(), &words).succeeds();
    }
    assert!(
        database.truth("SELECT NOT EXISTS (SELECT FROM pg_trigger WHERE tgname LIKE 'singularity\\_kept\\_contents%')")
    );
    Passed
}
