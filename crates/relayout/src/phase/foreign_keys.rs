//! Foreign keys that lead out of the table. The copy has none: rows in it that are out of date would forbid others to delete
//! what these refer to. In the swap they come unvalidated, which holds for everything that is written from then on; the rows
//! are read afterwards, beside the writers. A partitioned table takes its leaves' keys as its own then.

use database::quote::identifier;
use database::statement::LockMode::{AccessExclusive, ShareRowExclusive, ShareUpdateExclusive};
use database::{Relation, Statement};

use crate::job::Job;
use crate::layout::Shape;
use crate::table::attachments;
use crate::table::parts::Constraint;

/// The old form's go: nobody keeps its rows up to date any more.
pub(super) fn drop(job: &Job) -> Vec<Statement> {
    let drop = |key: &Constraint| {
        let sql = format!("ALTER TABLE {} DROP CONSTRAINT {}", job.public(), identifier(&key.name));
        Statement::new("the old form refers to nothing", sql).locking(AccessExclusive, &referred(job, key))
    };
    job.definition.foreign_keys().map(drop).collect()
}

/// Those of the tables that hold rows, once they are in their places.
pub(super) fn add_unvalidated(job: &Job) -> Vec<Statement> {
    let add = |(relation, key): (Relation, &Constraint)| {
        let (name, definition) = (identifier(&key.name), &key.definition);
        let sql = format!("ALTER TABLE {relation} ADD CONSTRAINT {name} {definition} NOT VALID");
        Statement::new("what is written from now on is checked", sql).locking(ShareRowExclusive, &referred(job, key))
    };
    each(job).map(add).collect()
}

/// Reads all rows, beside the writers.
pub(crate) fn validate(job: &Job) -> Vec<Statement> {
    let validate = |(relation, key): (Relation, &Constraint)| {
        let sql = format!("ALTER TABLE {relation} VALIDATE CONSTRAINT {}", identifier(&key.name));
        Statement::new("the rows are checked", sql).locking(ShareUpdateExclusive, &relation)
    };
    each(job).map(validate).collect()
}

/// The table's own, made of its leaves', and its comments.
pub(super) fn complete(job: &Job) -> Vec<Statement> {
    let public = job.public();
    let complete = |key: &Constraint| {
        let (name, why) = (identifier(&key.name), "a foreign key of the table's own");
        let add = (job.target != Shape::Plain).then(|| {
            let sql = format!("ALTER TABLE {public} ADD CONSTRAINT {name} {}", key.definition);
            Statement::new(why, sql).locking(ShareRowExclusive, &referred(job, key))
        });
        let comment = attachments::comment("CONSTRAINT", &key.name, &public, key.comment.as_ref(), why);
        add.into_iter().chain(comment).collect::<Vec<_>>()
    };
    match job.exchanged() {
        Some(_) => Vec::new(),
        None => job.definition.foreign_keys().flat_map(complete).collect(),
    }
}

/// Every key of every table that holds rows; none where leaves are exchanged, which get them when they are attached.
fn each(job: &Job) -> impl Iterator<Item = (Relation, &Constraint)> {
    let relations = match (job.exchanged(), &job.target) {
        (Some(_), _) => Vec::new(),
        (None, Shape::Plain) => vec![job.public()],
        (None, _) => job.targets(),
    };
    relations.into_iter().flat_map(|relation| job.definition.foreign_keys().map(move |key| (relation.clone(), key)))
}

/// What a key refers to, which others use as well.
fn referred(job: &Job, key: &Constraint) -> Relation {
    key.references.clone().unwrap_or_else(|| job.public())
}
