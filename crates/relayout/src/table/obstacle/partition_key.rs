//! The columns that choose a row's leaf: they have to be there, and never null.

use terminal::Finding;

use crate::table::definition::Definition;

pub(super) fn check(definition: &Definition, keys: &[&str]) -> Vec<Finding> {
    let mut found = Vec::new();
    for key in keys {
        match definition.column(key) {
            None => {
                found.push(Finding::new("partition-key-missing", format!("it has no column `{key}` to partition by")));
            }
            Some(column) if !column.not_null => {
                found.push(Finding::new("partition-key-nullable", format!("its column `{key}` takes nulls")));
            }
            Some(_) => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::obstacle::example::*;

    #[test]
    fn a_key_that_is_missing_or_takes_nulls_is_refused() {
        let mut table = table();
        assert_eq!(check(&table, &["repo_name", "path"]), []);
        table.columns[0].not_null = false;
        assert_eq!(
            messages(check(&table, &["repo_name", "nowhere"])),
            ["its column `repo_name` takes nulls", "it has no column `nowhere` to partition by"]
        );
    }
}
