//! For tests: a table that nothing stands against.

use terminal::Finding;

pub(crate) use crate::table::definition::{Column, Constraint, Definition, Index, Publication, Trigger};

pub(crate) fn messages(findings: Vec<Finding>) -> Vec<String> {
    findings.into_iter().map(|finding| finding.message).collect()
}

pub(crate) fn trigger(name: &str, transition_tables: bool) -> Trigger {
    Trigger { name: name.into(), definition: String::new(), enabled: "O".into(), transition_tables }
}

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
