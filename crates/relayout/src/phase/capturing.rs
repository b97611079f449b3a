//! The change log begins.

use database::Statement;

use crate::change_log;
use crate::job::Job;

pub(crate) fn statements(job: &Job) -> Vec<Statement> {
    change_log::install(&job.table, &job.definition, &job.old_trees())
}
