//! `docs/json.md`: its commands, run as they stand there, and the fields of what they print.

use std::fs;

use serde_json::Value;

use super::table;
use crate::Verdict::{self, Passed};
use crate::command::{migrations, project_copy, run, xtask, xtask_command};
use crate::database::{Database, Stage};
use crate::server::{TestServer, project};

crate::tests![
    every_command_prints_its_document,
    the_fields_are_those_of_the_page,
    plan_prints_its_statements,
    warnings_have_their_fields
];

fn page() -> String {
    fs::read_to_string(project().join("docs/json.md")).unwrap()
}

fn every_command_prints_its_document(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    for cells in table::rows(&page(), "# The `--json` document") {
        let spans = table::code_spans(&cells[0]);
        let name = &table::code_spans(&cells[1])[0];
        let (command, variants) = spans.split_first().unwrap();
        // A dry run changes nothing for the command as it stands.
        for more in variants.iter().map(|variant| Some(variant.as_str())).chain([None]) {
            let document = document(command, more, &database);
            assert_eq!(document["command"], **name, "{command} {more:?}");
            assert_eq!(document["version"], 1);
        }
    }
    Passed
}

/// Runs a line of the page.
fn document(command: &str, more: Option<&str>, database: &Database<'_>) -> Value {
    let words: Vec<&str> = command.split(' ').chain(more).collect();
    match &words[..] {
        ["migrations", arguments @ ..] => migrations(&database.url_text(), arguments).json(),
        // The server of a project folder in which none was started.
        ["cargo", "xtask", "db-server", ..] => {
            let folder = tempfile::tempdir().unwrap();
            run(xtask_command(&project_copy(folder.path()), &words[2..])).exits(3).json()
        }
        ["cargo", "xtask", arguments @ ..] => {
            let mut command = xtask_command(project(), arguments);
            command.env("DATABASE_URL", database.url_text());
            run(command).json()
        }
        _ => panic!("`{command}` is no program of the project"),
    }
}

/// The names in the first column of a table, those of the document's inner objects left out.
fn fields(heading: &str) -> Vec<String> {
    let rows = table::rows(&page(), heading).into_iter();
    rows.flat_map(|cells| table::code_spans(&cells[0])).filter(|name| !name.contains('.')).collect()
}

fn keys(object: &Value) -> Vec<String> {
    object.as_object().unwrap().keys().cloned().collect()
}

fn the_fields_are_those_of_the_page(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::Ecto);
    let document = xtask(&["db-setup", "--json", "--database-url", &database.url_text()]).succeeds().json();
    let mut written = fields("## Fields");
    written.retain(|name| !matches!(name.as_str(), "statements" | "warnings"));
    assert_eq!(keys(&document), written);
    assert_eq!(keys(&document["steps"][0]), fields("A step:"));
    let failed = migrations("mysql://h/d", &["--json"]).exits(2).json();
    assert_eq!(keys(&failed["errors"][0]), fields("An error:"));
    Passed
}

fn plan_prints_its_statements(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    database.execute("UPDATE db_service.layout SET leaves = 1");
    let document = migrations(&database.url_text(), &["plan", "--json"]).exits(3).json();
    assert!(fields("## Fields").contains(&"statements".to_owned()));
    assert_eq!(keys(&document["statements"][0]), fields("A statement:"));
    Passed
}

fn warnings_have_their_fields(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    database.execute("CREATE MATERIALIZED VIEW summary AS SELECT count(*) FROM code_files");
    assert!(fields("## Fields").contains(&"warnings".to_owned()));
    for command in ["plan", "status", "verify"] {
        let document = migrations(&database.url_text(), &[command, "--json"]).succeeds().json();
        assert_eq!(keys(&document["warnings"][0]), fields("A warning:"));
        assert_eq!(document["outcome"], "unchanged");
    }
    Passed
}
