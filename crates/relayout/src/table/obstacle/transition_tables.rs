//! Row triggers with transition tables: a partitioned table can have none. Statement triggers can.

use terminal::Finding;

use crate::table::definition::Definition;

pub(super) fn check(definition: &Definition) -> Vec<Finding> {
    let found = definition.triggers.iter().filter(|it| it.for_each_row && it.transition_tables);
    found
        .map(|it| Finding::new("transition-tables", format!("its row trigger `{}` uses transition tables", it.name)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::obstacle::example::*;

    #[test]
    fn transition_tables_is_refused() {
        let mut table = table();
        assert_eq!(check(&table), []);
        table.triggers.push(trigger("audit", true));
        assert_eq!(messages(check(&table)), ["its row trigger `audit` uses transition tables"]);
    }
}
