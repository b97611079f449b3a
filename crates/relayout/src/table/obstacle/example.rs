//! For tests: a table that nothing stands against.

use database::Relation;
use terminal::Finding;

pub(crate) use crate::table::definition::Definition;
pub(crate) use crate::table::parts::{Column, Constraint, IdentitySequence, Index, Trigger};

pub(crate) fn messages(findings: Vec<Finding>) -> Vec<String> {
    findings.into_iter().map(|finding| finding.message).collect()
}

pub(crate) fn trigger(name: &str, transition_tables: bool) -> Trigger {
    Trigger { name: name.into(), enabled: "O".into(), for_each_row: true, transition_tables, ..Trigger::default() }
}

pub(crate) fn column(name: &str) -> Column {
    Column { name: name.into(), data_type: "text".into(), not_null: true, storage: "x".into(), ..Column::default() }
}

pub(crate) fn identity_sequence() -> IdentitySequence {
    IdentitySequence {
        name: Relation::public("t_body_seq"),
        generated: "ALWAYS".into(),
        options: "AS bigint INCREMENT 1 MINVALUE 1 MAXVALUE 99 START 7 CACHE 1 NO CYCLE".into(),
        start: 7,
        unlogged: false,
        comment: None,
        is_private: true,
        grants: Vec::new(),
    }
}

pub(crate) fn table() -> Definition {
    let primary = Constraint {
        name: "t_pkey".into(),
        kind: "p".into(),
        definition: "PRIMARY KEY (repo_name, path)".into(),
        columns: Some(vec!["repo_name".into(), "path".into()]),
        validated: true,
        inherited: true,
        ..Constraint::default()
    };
    let index = Index {
        name: "t_pkey".into(),
        unique: true,
        columns: primary.columns.clone(),
        constraint: true,
        valid: true,
        method: "btree".into(),
        definition: "USING btree (repo_name, path)".into(),
        ..Index::default()
    };
    Definition {
        owner: "o".into(),
        kind: "r".into(),
        persistence: "p".into(),
        replica_identity: "d".into(),
        columns: ["repo_name", "path", "body"].map(column).into(),
        constraints: vec![primary],
        indexes: vec![index],
        ..Definition::default()
    }
}
