//! The layer's own triggers, which a table has while it is in leaves. New leaves have them from the first moment, and no sooner:
//! a copy need not be noted. A table that leaves its leaves loses them; the first conversion is without, and whoever has declared
//! them puts them on afterwards.

use database::Statement;
use database::quote::literal;

use crate::job::Job;
use crate::table::kept_trigger;

/// On leaves that nobody knows yet, those of the table that they come to.
pub(super) fn of_new_leaves(job: &Job) -> Vec<Statement> {
    let kept = &job.definition.kept_triggers;
    job.new_trees().iter().flat_map(|tree| tree.all().flat_map(|it| kept_trigger::put_on(it, kept.iter()))).collect()
}

/// From a table whose old form goes. From now on nobody is to believe that they keep anything.
pub(super) fn take_off(job: &Job) -> Vec<Statement> {
    let kept = &job.definition.kept_triggers;
    if kept.is_empty() {
        return Vec::new();
    }
    let table = literal(&job.table);
    let sql = format!("UPDATE db_service.kept_trigger SET in_place = false WHERE table_name = {table} AND in_place");
    let claim = Statement::new("its triggers keep nothing up to date any more", sql);
    let names = kept.iter().map(|it| &it.name);
    std::iter::once(claim).chain(kept_trigger::take_off(&job.public(), names)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::example::job;
    use crate::layout::{Leaf, Shape};
    use crate::table::kept_trigger::KeptTrigger;

    fn with_one(mut job: Job) -> Job {
        job.definition.kept_triggers =
            vec![KeptTrigger { name: "k".into(), event: "INSERT".into(), function: "f.g()".into() }];
        job
    }

    #[test]
    fn new_leaves_and_their_parts_have_them() {
        let even = |count| Shape::even("repo_name", "path", count);
        let leaf = Leaf::new(2, 1);
        let split = job(even(2), even(2).with(&[leaf], &[Leaf { paths: 2, ..leaf }]));
        assert_eq!(of_new_leaves(&split), []);
        let created = of_new_leaves(&with_one(split)).into_iter().filter(|it| it.sql.starts_with("CREATE")).count();
        assert_eq!(created, 3, "one that is divided, and its two parts");
    }

    #[test]
    fn a_plain_table_has_none() {
        let even = |count| Shape::even("repo_name", "path", count);
        assert_eq!(take_off(&job(even(2), Shape::Plain)), []);
        let statements = take_off(&with_one(job(even(2), Shape::Plain)));
        assert!(statements[0].sql.contains("in_place = false WHERE table_name = 't'"), "{statements:?}");
        assert_eq!(statements[1].sql, r#"DROP TRIGGER "k" ON "public"."t""#);
    }
}
