//! Unique indexes without a constraint: each has to have the columns that choose the leaf.

use terminal::Finding;

use crate::table::definition::Definition;

pub(super) fn check(definition: &Definition, keys: &[&str]) -> Vec<Finding> {
    let mut found = Vec::new();
    for index in definition.indexes.iter().filter(|index| index.valid && index.unique && !index.constraint) {
        if let Some(key) = lacking(index.columns.as_deref(), keys) {
            let message = format!("its unique index `{}` lacks `{key}`", index.name);
            found.push(Finding::new("unique-index-without-key", message));
        }
    }
    found
}

/// The first of the keys that is not among these columns.
pub(super) fn lacking<'a>(columns: Option<&[String]>, keys: &[&'a str]) -> Option<&'a str> {
    keys.iter().find(|key| !columns.unwrap_or_default().iter().any(|column| column == **key)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::obstacle::example::*;

    #[test]
    fn a_unique_index_without_the_key_is_refused() {
        let mut table = table();
        let index =
            Index { name: "t_body_index".into(), columns: Some(vec!["body".into()]), ..table.indexes[0].clone() };
        table.indexes.push(Index { constraint: false, ..index });
        assert_eq!(messages(check(&table, &["repo_name"])), ["its unique index `t_body_index` lacks `repo_name`"]);
        assert_eq!(check(&table, &[]), [], "a plain table takes it");
    }
}
