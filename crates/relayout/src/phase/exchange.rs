//! What is exchanged in the swap: a table by its new form, or leaves by others.

use database::quote::identifier;
use database::statement::LockMode::AccessExclusive;
use database::{Relation, Statement};

use super::shadow::FITS;
use super::{foreign_keys, identity, schemas, triggers};
use crate::job::{Job, NEW, OLD};
use crate::layout::Part;
use crate::table::attachments;
use crate::table::parts::{Column, Constraint, Trigger};
use crate::table::privileges::{self, Privileges};

const WHY: &str = "the new form takes the place of the old one";
const CHECKED: &str = "what is written from now on is checked";

pub(super) fn leaves(job: &Job, old: &[Part], new: &[Part]) -> Vec<Statement> {
    let (public, shadow) = (job.public(), job.shadow());
    let swap = |sql: String| Statement::new(WHY, sql).locking(AccessExclusive, &public);
    let mut statements = Vec::new();
    for leaf in old {
        statements.push(swap(format!("ALTER TABLE {public} DETACH PARTITION {}", leaf.of(&job.table))));
    }
    statements.extend(triggers::of_new_leaves(job));
    for leaf in new {
        let name = leaf.of(&job.table);
        statements.push(Statement::new(WHY, format!("ALTER TABLE {shadow} DETACH PARTITION {name}")));
        // The table's own are asked of everything that is attached to it.
        statements.extend(job.definition.unchecked().map(|check| add_unchecked(&name, check)));
        statements.push(swap(format!("ALTER TABLE {public} ATTACH PARTITION {name} {}", leaf.bound())));
        statements.push(Statement::new(WHY, format!("ALTER TABLE {name} DROP CONSTRAINT {FITS}")));
    }
    statements.push(Statement::new(WHY, format!("DROP TABLE {shadow}")));
    statements
}

pub(super) fn tables(job: &Job) -> Vec<Statement> {
    let (definition, public, new) = (&job.definition, job.public(), job.shadow());
    let swap = |sql: String| Statement::new(WHY, sql).locking(AccessExclusive, &public);
    let mut statements = vec![schemas::create(OLD, &definition.owner)];
    let owned = || {
        let of = |column: &'_ Column| {
            column.sequences.iter().map(|sequence| (column.name.clone(), sequence.clone())).collect::<Vec<_>>()
        };
        definition.columns.iter().flat_map(of)
    };
    let published = || definition.publications.iter().filter(|publication| publication.scope == "table");
    // What belongs to a column moves with its table.
    statements.extend(owned().map(|(_, sequence)| swap(format!("ALTER SEQUENCE {sequence} OWNED BY NONE"))));
    for publication in published() {
        statements.push(swap(format!("ALTER PUBLICATION {} DROP TABLE {public}", identifier(&publication.name))));
    }
    for trigger in &definition.triggers {
        // The function stays, and the trigger with it on the old table would be one too many after a drain.
        statements.push(swap(format!("DROP TRIGGER {} ON {public}", identifier(&trigger.name))));
    }
    statements.extend(triggers::take_off(job));
    for statistics in &definition.extended_statistics {
        let (name, beside) = (&statistics.name, attachments::beside(statistics, NEW));
        statements.push(swap(format!("ALTER STATISTICS {name} SET SCHEMA {OLD}")));
        statements.push(swap(format!("ALTER STATISTICS {beside} SET SCHEMA {}", identifier(&name.schema))));
    }
    statements.extend(foreign_keys::drop(job));
    statements.push(swap(format!("ALTER TABLE {public} SET SCHEMA {OLD}")));
    statements.push(swap(format!("ALTER TABLE {new} SET SCHEMA public")));
    statements.extend(owned().map(|(column, sequence)| {
        swap(format!("ALTER SEQUENCE {sequence} OWNED BY {public}.{}", identifier(&column)))
    }));
    statements.extend(identity::statements(job));
    for publication in published() {
        statements.push(swap(format!("ALTER PUBLICATION {} ADD TABLE {public}", identifier(&publication.name))));
    }
    statements.extend(privileges::granted_further(&public, Privileges::of_table(definition)));
    statements.extend(foreign_keys::add_unvalidated(job));
    statements.extend(definition.unchecked().flat_map(|check| unchecked(&public, check)));
    statements.extend(definition.triggers.iter().flat_map(|trigger| user_trigger(&public, trigger)));
    statements
}

/// A check that not all rows fulfil: all rows are there by now.
fn unchecked(relation: &Relation, check: &Constraint) -> Vec<Statement> {
    let comment = attachments::comment("CONSTRAINT", &check.name, relation, check.comment.as_ref(), CHECKED);
    std::iter::once(add_unchecked(relation, check)).chain(comment).collect()
}

fn add_unchecked(relation: &Relation, check: &Constraint) -> Statement {
    let name = identifier(&check.name);
    Statement::new(CHECKED, format!("ALTER TABLE {relation} ADD CONSTRAINT {name} {}", check.definition))
}

/// A trigger of the table's own, on its new form.
fn user_trigger(relation: &Relation, trigger: &Trigger) -> Vec<Statement> {
    let (why, name) = ("a trigger of the table's own", identifier(&trigger.name));
    let state = match trigger.enabled.as_str() {
        "D" => Some("DISABLE"),
        "R" => Some("ENABLE REPLICA"),
        "A" => Some("ENABLE ALWAYS"),
        _ => None,
    };
    let state = state.map(|state| format!("ALTER TABLE {relation} {state} TRIGGER {name}"));
    let comment = attachments::comment("TRIGGER", &trigger.name, relation, trigger.comment.as_ref(), why);
    let create = trigger.definition.clone();
    std::iter::once(create).chain(state).map(|sql| Statement::new(why, sql)).chain(comment).collect()
}
