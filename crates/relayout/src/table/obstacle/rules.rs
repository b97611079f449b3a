//! Rules: they rewrite what names the table.

use terminal::Finding;

use crate::table::definition::Definition;

pub(super) fn check(definition: &Definition) -> Vec<Finding> {
    let finding = definition.has_rules.then(|| Finding::new("rules", "it has rules"));
    finding.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::obstacle::example::*;

    #[test]
    fn rules_is_refused() {
        let mut table = table();
        assert_eq!(check(&table), []);
        table.has_rules = true;
        assert_eq!(messages(check(&table)), ["it has rules"]);
    }
}
