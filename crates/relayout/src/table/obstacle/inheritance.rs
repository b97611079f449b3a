//! Inheritance: a partitioned table can have neither parents nor children of that kind.

use terminal::Finding;

use crate::table::definition::Definition;

pub(super) fn check(definition: &Definition) -> Vec<Finding> {
    if definition.inherits { vec![Finding::new("inheritance", "it takes part in inheritance")] } else { Vec::new() }
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
