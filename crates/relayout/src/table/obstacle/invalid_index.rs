//! Indexes that a killed build has left.

use terminal::Finding;

use crate::table::definition::Definition;

pub(super) fn check(definition: &Definition) -> Vec<Finding> {
    let found = definition.indexes.iter().filter(|it| !it.valid);
    found.map(|it| Finding::new("invalid-index", format!("its index `{}` is invalid", it.name))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::obstacle::example::*;

    #[test]
    fn invalid_index_is_refused() {
        let mut table = table();
        assert_eq!(check(&table), []);
        table.indexes[0].valid = false;
        assert_eq!(messages(check(&table)), ["its index `t_pkey` is invalid"]);
    }
}
