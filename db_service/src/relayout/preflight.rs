//! What stands against changing a table's storage, all of it at once, before anything is touched.

use super::definition::Definition;
use super::shape::Shape;

/// What the server says of itself and of us.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) owns: bool,
    pub(crate) role: String,
    /// Locks that all transactions together can hold.
    pub(crate) lock_slots: i64,
}

/// Checks the server. Pure.
pub(crate) fn check_server(server: &Server, definition: &Definition, target: &Shape) -> Vec<String> {
    let mut found = Vec::new();
    if !server.owns {
        found.push(format!("the role `{}` neither owns it nor is a member of its owner", server.role));
    }
    // A table and its TOAST table with an index each, and its own indexes; the swap locks old and new form.
    let relations = target.leaves().iter().map(|leaf| leaf.storage().len()).sum::<usize>().max(1);
    let locks = i64::try_from(2 * relations * (3 + definition.indexes.len())).unwrap_or(i64::MAX);
    if locks > server.lock_slots / 2 {
        found.push(format!(
            "the swap needs about {locks} locks, more than half of the {} that this server has: raise `max_locks_per_transaction`",
            server.lock_slots
        ));
    }
    found
}

/// Checks a table against what the engine carries over; `keys` are the columns that choose a row's place. Pure.
pub(crate) fn check(definition: &Definition, keys: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let mut refuse = |text: String| found.push(text);
    if definition.persistence != "p" {
        refuse("it is unlogged or temporary".into());
    }
    for key in keys {
        match definition.column(key) {
            None => refuse(format!("it has no column `{key}` to partition by")),
            Some(column) if !column.not_null => refuse(format!("its column `{key}` takes nulls")),
            Some(_) => {}
        }
    }
    if definition.key().is_empty() {
        refuse("it has no primary key".into());
    }
    let lacking = |columns: Option<&[String]>| {
        keys.iter().find(|key| !columns.unwrap_or_default().iter().any(|column| column == **key))
    };
    for constraint in &definition.constraints {
        let lacking = lacking(constraint.columns.as_deref());
        match (constraint.kind.as_str(), lacking) {
            ("p" | "u", Some(key)) => refuse(format!("its unique constraint `{}` lacks `{key}`", constraint.name)),
            ("u", _) if constraint.definition.contains("DEFERRABLE") => {
                refuse(format!("its constraint `{}` is deferrable", constraint.name));
            }
            ("x", _) => refuse(format!("it has the exclusion constraint `{}`", constraint.name)),
            ("f", _) => refuse(format!("it has the foreign key `{}`", constraint.name)),
            _ if !constraint.validated => refuse(format!("its constraint `{}` is not validated", constraint.name)),
            _ => {}
        }
    }
    for index in &definition.indexes {
        if !index.valid {
            refuse(format!("its index `{}` is invalid", index.name));
        } else if index.unique
            && !index.constraint
            && let Some(key) = lacking(index.columns.as_deref())
        {
            refuse(format!("its unique index `{}` lacks `{key}`", index.name));
        }
    }
    for reference in &definition.referenced_by {
        refuse(format!("it is referenced by the foreign key {reference}"));
    }
    for column in definition.columns.iter().filter(|column| column.identity) {
        refuse(format!("its column `{}` is an identity column; `bigserial` is not", column.name));
    }
    for trigger in definition.triggers.iter().filter(|trigger| trigger.transition_tables) {
        refuse(format!("its trigger `{}` uses transition tables", trigger.name));
    }
    for publication in definition.publications.iter().filter(|publication| publication.filtered) {
        refuse(format!("publication `{}` takes only some of its rows or columns", publication.name));
    }
    for (is_so, what) in [
        (definition.row_security, "it has row-level security"),
        (definition.has_rules, "it has rules"),
        (definition.inherits, "it takes part in inheritance"),
        (definition.extended_statistics, "it has extended statistics"),
        (!definition.options.is_empty(), "it has storage parameters, which a partitioned table cannot have"),
        (definition.replica_identity != "d", "it has a replica identity of its own"),
    ] {
        if is_so {
            refuse(what.into());
        }
    }
    found
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::definition::{Column, Constraint, Definition, Index, Trigger};
    use super::*;

    pub(crate) fn column(name: &str) -> Column {
        Column {
            name: name.into(),
            data_type: "text".into(),
            not_null: true,
            default: None,
            generated: false,
            identity: false,
            statistics: None,
            inline: false,
            sequence: None,
        }
    }

    pub(crate) fn table() -> Definition {
        let primary = Constraint {
            name: "t_pkey".into(),
            kind: "p".into(),
            definition: "PRIMARY KEY (repo_name, path)".into(),
            columns: Some(vec!["repo_name".into(), "path".into()]),
            validated: true,
        };
        let index = Index {
            name: "t_pkey".into(),
            unique: true,
            columns: primary.columns.clone(),
            constraint: true,
            valid: true,
            method: "btree".into(),
            comment: None,
            definition: "USING btree (repo_name, path)".into(),
        };
        Definition {
            owner: "o".into(),
            comment: None,
            kind: "r".into(),
            persistence: "p".into(),
            row_security: false,
            has_rules: false,
            options: Vec::new(),
            replica_identity: "d".into(),
            inherits: false,
            extended_statistics: false,
            columns: ["repo_name", "path", "body"].map(column).into(),
            constraints: vec![primary],
            referenced_by: Vec::new(),
            indexes: vec![index],
            triggers: Vec::new(),
            grants: Vec::new(),
            publications: Vec::new(),
        }
    }

    #[test]
    fn a_table_that_is_born_ready_passes() {
        assert_eq!(check(&table(), &["repo_name", "path"]), Vec::<String>::new());
    }

    #[test]
    fn a_server_that_will_not_do_is_named() {
        let server = Server { owns: false, role: "reader".into(), lock_slots: 100 };
        let found = check_server(&server, &table(), &Shape::even("repo_name", "path", 16));
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[1].contains("max_locks_per_transaction"));
        let server = Server { owns: true, role: "owner".into(), lock_slots: 6400 };
        assert_eq!(check_server(&server, &table(), &Shape::even("repo_name", "path", 64)), Vec::<String>::new());
    }

    #[test]
    fn everything_that_stands_against_it_is_said_at_once() {
        let mut table = table();
        table.columns[0].not_null = false;
        table.columns[2].identity = true;
        table.row_security = true;
        table.referenced_by.push("x_fkey of x".into());
        table.indexes.push(Index {
            name: "t_body_index".into(),
            constraint: false,
            columns: Some(vec!["body".into()]),
            ..table.indexes[0].clone()
        });
        table.triggers.push(Trigger {
            name: "audit".into(),
            definition: String::new(),
            enabled: "O".into(),
            transition_tables: true,
        });
        assert_eq!(
            check(&table, &["repo_name"]),
            [
                "its column `repo_name` takes nulls",
                "its unique index `t_body_index` lacks `repo_name`",
                "it is referenced by the foreign key x_fkey of x",
                "its column `body` is an identity column; `bigserial` is not",
                "its trigger `audit` uses transition tables",
                "it has row-level security",
            ]
        );
    }
}
