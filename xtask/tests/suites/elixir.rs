//! Modules of the application: their statements are understood, as they stand in the file.

use std::fs;

use crate::database::{Database, Stage};
use crate::server::{TestServer, project};

/// So many has the module.
#[track_caller]
pub(crate) fn statements_are_understood(server: &TestServer, module: &str, count: usize) {
    let database = Database::at(server, Stage::All);
    let text = fs::read_to_string(project().join("singularity_app/lib/singularity").join(module)).unwrap();
    let statements: Vec<&str> =
        text.split('"').filter(|part| part.starts_with("SELECT ") && part.contains("db_service.")).collect();
    assert_eq!(statements.len(), count, "{statements:?}");
    for statement in statements {
        database.execute(&format!("PREPARE asked AS {statement}; DEALLOCATE asked"));
    }
}
