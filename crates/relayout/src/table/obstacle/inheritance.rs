//! Inheritance: a partitioned table can have neither parents nor children of that kind.

use terminal::Finding;

use crate::table::definition::Definition;

pub(super) fn check(definition: &Definition) -> Vec<Finding> {
    let finding = definition.inherits.then(|| Finding::new("inheritance", "it takes part in inheritance"));
    finding.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::obstacle::example::*;

    #[test]
    fn inheritance_is_refused() {
        let mut table = table();
        assert_eq!(check(&table), []);
        table.inherits = true;
        assert_eq!(messages(check(&table)), ["it takes part in inheritance"]);
    }
}
