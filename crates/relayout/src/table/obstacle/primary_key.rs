//! Without a primary key rows cannot be told apart: neither copied in batches nor logged.

use terminal::Finding;

use crate::table::definition::Definition;

pub(super) fn check(definition: &Definition) -> Vec<Finding> {
    let finding = (definition.key().is_empty()).then(|| Finding::new("no-primary-key", "it has no primary key"));
    finding.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::obstacle::example::*;

    #[test]
    fn no_primary_key_is_refused() {
        let mut table = table();
        assert_eq!(check(&table), []);
        table.constraints.clear();
        assert_eq!(messages(check(&table)), ["it has no primary key"]);
    }
}
