//! Extended statistics: they stay with the old form.

use terminal::Finding;

use crate::table::definition::Definition;

pub(super) fn check(definition: &Definition) -> Vec<Finding> {
    let finding =
        definition.extended_statistics.then(|| Finding::new("extended-statistics", "it has extended statistics"));
    finding.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::obstacle::example::*;

    #[test]
    fn extended_statistics_is_refused() {
        let mut table = table();
        assert_eq!(check(&table), []);
        table.extended_statistics = true;
        assert_eq!(messages(check(&table)), ["it has extended statistics"]);
    }
}
