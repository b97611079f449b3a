//! Identity columns: a sequence is a part of one, and cannot be moved to another table. The new form gets one that goes on where
//! the old one has stopped.

use database::quote::{identifier, literal};
use database::statement::LockMode::AccessExclusive;
use database::{Relation, Statement};

use crate::job::{Job, OLD};
use crate::table::definition::Definition;
use crate::table::parts::IdentitySequence;
use crate::table::privileges::{self, Privileges};

/// Both forms are where they belong, and nobody uses them.
pub(super) fn statements(job: &Job) -> Vec<Statement> {
    let (definition, public) = (&job.definition, job.public());
    let identity =
        definition.columns.iter().filter_map(|column| Some((&column.name, column.identity_sequence.as_ref()?)));
    identity.flat_map(|(column, sequence)| anew(&public, column, sequence, definition)).collect()
}

fn anew(public: &Relation, column: &str, sequence: &IdentitySequence, definition: &Definition) -> Vec<Statement> {
    let run = |sql: String| Statement::new("the numbers of an identity column go on", sql);
    let (name, old, owner) = (&sequence.name, Relation::new(OLD, &sequence.name.name), identifier(&definition.owner));
    let privileges = Privileges::of_sequence(sequence, definition);
    let add = format!(
        "ALTER TABLE {public} ALTER {} ADD GENERATED {} AS IDENTITY (SEQUENCE NAME {name})",
        identifier(column),
        sequence.generated
    );
    let mut statements = vec![
        run(add).locking(AccessExclusive, public),
        run(format!("ALTER SEQUENCE {name} {} RESTART {}", sequence.options, sequence.start)),
        // An owner may have taken the right to read from himself.
        run(format!("GRANT SELECT ON SEQUENCE {old} TO {owner}")),
        run(format!("SELECT pg_catalog.setval({}, last_value, is_called) FROM {old}", literal(&name.to_string()))),
    ];
    if sequence.unlogged {
        statements.push(run(format!("ALTER SEQUENCE {name} SET UNLOGGED")));
    }
    if let Some(comment) = &sequence.comment {
        statements.push(run(format!("COMMENT ON SEQUENCE {name} IS {}", literal(comment))));
    }
    statements.extend(privileges::grants(name, privileges));
    statements.extend(privileges::granted_further(name, privileges));
    statements
}
