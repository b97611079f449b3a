//! The old form goes, and what the job has made beside the table.

use database::{Relation, Statement};

use super::schemas::drop_empty;
use crate::change_log;
use crate::job::Job;
use crate::stale;

pub(crate) fn clean(job: &Job) -> Vec<Statement> {
    let old: Vec<Relation> = match job.exchanged() {
        Some((old, _)) => old.iter().map(|leaf| leaf.of(&job.table)).collect(),
        None => vec![job.old()],
    };
    let drop = |name: &Relation| Statement::new("the old form goes", format!("DROP TABLE IF EXISTS {name}"));
    let mut statements: Vec<Statement> = old.iter().map(drop).collect();
    statements.extend(change_log::drop_log(&job.table));
    statements.push(stale::clean(&job.table));
    statements.push(drop_empty());
    statements
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::example::job;
    use crate::layout::{Leaf, Shape};

    #[test]
    fn a_split_drops_the_leaf_that_was_split() {
        let even = |count| Shape::even("repo_name", "path", count);
        let leaf = Leaf::new(2, 1);
        let job = job(even(2), even(2).with(&[leaf], &leaf.split(2)));
        assert_eq!(clean(&job)[0].sql, r#"DROP TABLE IF EXISTS "leaf_2_1"."t""#);
    }
}
