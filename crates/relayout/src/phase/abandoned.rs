//! A job is given up before the swap: what it has made goes, and the table is as it was.

use database::Statement;

use super::schemas::drop_empty;
use crate::change_log;
use crate::job::Job;
use crate::stale;

pub(crate) fn statements(job: &Job) -> Vec<Statement> {
    let mut statements = change_log::drop_capture(&job.table, &job.old_trees());
    let drop = format!("DROP TABLE IF EXISTS {}", job.shadow());
    statements.push(Statement::new("the new form goes", drop));
    statements.extend(change_log::drop_log(&job.table));
    statements.push(stale::clean(&job.table));
    statements.push(drop_empty());
    statements
}
