//! Tables of a composite type: a partitioned table can be none.

use terminal::Finding;

use crate::table::definition::Definition;

pub(super) fn check(definition: &Definition) -> Vec<Finding> {
    let found = definition.of_type.iter();
    found.map(|it| Finding::new("typed-table", format!("it is a table of the type `{it}`"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::obstacle::example::*;

    #[test]
    fn typed_is_refused() {
        let mut table = table();
        assert_eq!(check(&table), []);
        table.of_type = Some("row".into());
        assert_eq!(messages(check(&table)), ["it is a table of the type `row`"]);
    }
}
