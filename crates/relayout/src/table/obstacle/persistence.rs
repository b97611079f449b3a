//! Unlogged and temporary tables: the new form would be logged.

use terminal::Finding;

use crate::table::definition::Definition;

pub(super) fn check(definition: &Definition) -> Vec<Finding> {
    let finding = (definition.persistence != "p").then(|| Finding::new("not-permanent", "it is unlogged or temporary"));
    finding.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::obstacle::example::*;

    #[test]
    fn not_permanent_is_refused() {
        let mut table = table();
        assert_eq!(check(&table), []);
        table.persistence = "u".into();
        assert_eq!(messages(check(&table)), ["it is unlogged or temporary"]);
    }
}
