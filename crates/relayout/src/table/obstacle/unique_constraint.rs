//! Unique constraints: each has to have the columns that choose the leaf, and none may be deferrable.

use terminal::Finding;

use super::unique_index::lacking;
use crate::table::definition::Definition;

pub(super) fn check(definition: &Definition, keys: &[&str]) -> Vec<Finding> {
    let mut found = Vec::new();
    for constraint in definition.keys() {
        if let Some(key) = lacking(constraint.columns.as_deref(), keys) {
            let message = format!("its unique constraint `{}` lacks `{key}`", constraint.name);
            found.push(Finding::new("unique-constraint-without-key", message));
        } else if constraint.kind == "u" && constraint.definition.contains("DEFERRABLE") {
            let message = format!("its constraint `{}` is deferrable", constraint.name);
            found.push(Finding::new("deferrable-constraint", message));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::obstacle::example::*;

    #[test]
    fn a_unique_constraint_without_the_key_or_deferrable_is_refused() {
        let mut table = table();
        assert_eq!(check(&table, &["repo_name"]), []);
        let of = |name: &str, definition: &str, columns: &[&str]| Constraint {
            name: name.into(),
            kind: "u".into(),
            definition: definition.into(),
            columns: Some(columns.iter().map(|column| (*column).to_owned()).collect()),
            ..Constraint::default()
        };
        table.constraints.push(of("lonely", "UNIQUE (body)", &["body"]));
        table.constraints.push(of("late", "UNIQUE (repo_name) DEFERRABLE", &["repo_name"]));
        assert_eq!(
            messages(check(&table, &["repo_name"])),
            ["its unique constraint `lonely` lacks `repo_name`", "its constraint `late` is deferrable"]
        );
    }
}
