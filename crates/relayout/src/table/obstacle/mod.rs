//! What stands against changing a table's storage: one file an obstacle, all of them found at once.
//!
//! A new one is a file here and a line in one of the lists below.

mod access_method;
mod cluster;
mod dependents;
mod disk;
mod event_trigger;
mod exclusion;
mod extension_member;
mod facts;
mod foreign_key;
mod foreign_rights;
mod identity;
mod index_tablespace;
mod inheritance;
mod invalid_index;
mod key_trigger;
mod locks;
mod no_inherit;
mod not_null_unvalidated;
mod ownership;
mod partition_key;
mod persistence;
mod primary_key;
mod publication;
mod referenced;
mod replica_identity;
mod row_security;
mod rules;
mod security_label;
mod storage_parameters;
mod subscription;
mod time_key;
mod transition_tables;
mod typed;
mod unique_constraint;
mod unique_index;

#[cfg(test)]
pub(crate) mod example;

use terminal::Finding;

pub(crate) use dependents::{FOREIGN as FOREIGN_DEPENDENT, ON_LEAF};
pub(crate) use facts::ServerFacts;

use super::definition::Definition;
use super::dependents::Dependent;
use crate::layout::Shape;

/// Of the table itself: what the engine does not carry over into that shape. Pure.
pub(crate) fn of_table(definition: &Definition, target: &Shape) -> Vec<Finding> {
    let keys = &target.keys();
    [
        persistence::check(definition),
        access_method::check(definition),
        typed::check(definition),
        extension_member::check(definition),
        partition_key::check(definition, keys),
        time_key::check(definition, target),
        primary_key::check(definition),
        unique_constraint::check(definition, keys),
        exclusion::check(definition),
        foreign_key::check(definition),
        not_null_unvalidated::check(definition),
        no_inherit::check(definition),
        invalid_index::check(definition),
        unique_index::check(definition, keys),
        cluster::check(definition),
        index_tablespace::check(definition),
        referenced::check(definition),
        transition_tables::check(definition),
        key_trigger::check(definition, keys),
        publication::check(definition, keys),
        subscription::check(definition),
        rules::check(definition),
        inheritance::check(definition),
        storage_parameters::check(definition),
        replica_identity::check(definition),
        security_label::check(definition),
    ]
    .concat()
}

/// Of what was made from it.
pub(crate) fn of_dependents(dependents: &[Dependent], role: &str) -> Vec<Finding> {
    dependents::check(dependents, role)
}

/// Of what was made from one of its leaves, by the leaf's quoted name.
pub(crate) fn of_leaf(leaf: &str, dependents: &[Dependent]) -> Vec<Finding> {
    dependents::check_leaf(leaf, dependents)
}

/// Of the disk.
pub(crate) fn of_disk(needed: u64, free: Option<u64>) -> Vec<Finding> {
    disk::check(needed, free)
}

/// Of the server, and of the role that we are there. Pure.
pub(crate) fn of_server(server: &ServerFacts, definition: &Definition, target: &Shape) -> Vec<Finding> {
    [
        ownership::check(server),
        foreign_rights::check(server),
        event_trigger::check(server),
        identity::check(server, definition),
        row_security::check(definition, server.sees_all_rows),
        locks::check(server, definition, target),
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::example::{messages, table, trigger};
    use super::*;
    use crate::table::parts::Index;

    #[test]
    fn a_table_that_is_born_ready_passes() {
        assert_eq!(of_table(&table(), &Shape::Plain), []);
    }

    #[test]
    fn a_server_that_will_not_do_is_named() {
        let server = ServerFacts { role: "reader".into(), lock_slots: 100, ..ServerFacts::default() };
        let found = messages(of_server(&server, &table(), &Shape::even("repo_name", "path", 16)));
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[1].contains("max_locks_per_transaction"));
        let server = ServerFacts { owns: true, role: "owner".into(), lock_slots: 6400, ..ServerFacts::default() };
        assert_eq!(of_server(&server, &table(), &Shape::even("repo_name", "path", 64)), []);
    }

    #[test]
    fn everything_that_stands_against_it_is_said_at_once() {
        let mut table = table();
        table.columns[0].not_null = false;
        table.referenced_by.push("x_fkey of x".into());
        table.indexes.push(Index {
            name: "t_body_index".into(),
            constraint: false,
            columns: Some(vec!["body".into()]),
            ..table.indexes[0].clone()
        });
        table.triggers.push(trigger("audit", true));
        assert_eq!(
            messages(of_table(&table, &Shape::even("repo_name", "path", 2))),
            [
                "its column `repo_name` takes nulls",
                "its unique index `t_body_index` lacks `repo_name`",
                "it is referenced by the foreign key x_fkey of x",
                "its row trigger `audit` uses transition tables",
            ]
        );
    }
}
