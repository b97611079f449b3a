//! What is exchanged in the swap: a table by its new form, or leaves by others.

use database::quote::identifier;
use database::statement::LockMode::AccessExclusive;
use database::{Relation, Statement};

use super::shadow::FITS;
use crate::job::{Job, OLD};
use crate::layout::Leaf;
use crate::table::definition::Trigger;

const WHY: &str = "the new form takes the place of the old one";

pub(super) fn leaves(job: &Job, old: &[Leaf], new: &[Leaf]) -> Vec<Statement> {
    let (public, shadow) = (job.public(), job.shadow());
    let swap = |sql: String| Statement::new(WHY, sql).locking(AccessExclusive, &public);
    let mut statements = Vec::new();
    for leaf in old {
        statements.push(swap(format!("ALTER TABLE {public} DETACH PARTITION {}", leaf.of(&job.table))));
    }
    for leaf in new {
        let name = leaf.of(&job.table);
        statements.push(Statement::new(WHY, format!("ALTER TABLE {shadow} DETACH PARTITION {name}")));
        statements.push(swap(format!("ALTER TABLE {public} ATTACH PARTITION {name} {}", leaf.bound())));
        statements.push(Statement::new(WHY, format!("ALTER TABLE {name} DROP CONSTRAINT {FITS}")));
    }
    statements.push(Statement::new(WHY, format!("DROP TABLE {shadow}")));
    statements
}

pub(super) fn tables(job: &Job) -> Vec<Statement> {
    let (definition, public, new) = (&job.definition, job.public(), job.shadow());
    let swap = |sql: String| Statement::new(WHY, sql).locking(AccessExclusive, &public);
    let mut statements = vec![Statement::new(WHY, format!("CREATE SCHEMA IF NOT EXISTS {OLD}"))];
    let owned = || definition.columns.iter().filter_map(|column| Some((&column.name, column.sequence.as_ref()?)));
    // What belongs to a column moves with its table.
    statements.extend(owned().map(|(_, sequence)| swap(format!("ALTER SEQUENCE {sequence} OWNED BY NONE"))));
    for publication in &definition.publications {
        statements.push(swap(format!("ALTER PUBLICATION {} DROP TABLE {public}", identifier(&publication.name))));
    }
    for trigger in &definition.triggers {
        // The function stays, and the trigger with it on the old table would be one too many after a drain.
        statements.push(swap(format!("DROP TRIGGER {} ON {public}", identifier(&trigger.name))));
    }
    statements.push(swap(format!("ALTER TABLE {public} SET SCHEMA {OLD}")));
    statements.push(swap(format!("ALTER TABLE {new} SET SCHEMA public")));
    statements.extend(
        owned().map(|(column, sequence)| {
            swap(format!("ALTER SEQUENCE {sequence} OWNED BY {public}.{}", identifier(column)))
        }),
    );
    for publication in &definition.publications {
        statements.push(swap(format!("ALTER PUBLICATION {} ADD TABLE {public}", identifier(&publication.name))));
    }
    statements.extend(definition.triggers.iter().flat_map(|trigger| user_trigger(&public, trigger)));
    statements
}

/// A trigger of the table's own, on its new form.
fn user_trigger(relation: &Relation, trigger: &Trigger) -> Vec<Statement> {
    let why = "a trigger of the table's own";
    let create = Statement::new(why, &trigger.definition);
    let state = match trigger.enabled.as_str() {
        "D" => "DISABLE",
        "R" => "ENABLE REPLICA",
        "A" => "ENABLE ALWAYS",
        _ => return vec![create],
    };
    let switch = format!("ALTER TABLE {relation} {state} TRIGGER {}", identifier(&trigger.name));
    vec![create, Statement::new(why, switch)]
}
