//! Storage parameters: a partitioned table has none.

use terminal::Finding;

use crate::table::definition::Definition;

pub(super) fn check(definition: &Definition) -> Vec<Finding> {
    let finding = (!definition.options.is_empty()).then(|| {
        Finding::new("storage-parameters", "it has storage parameters, which a partitioned table cannot have")
    });
    finding.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::obstacle::example::*;

    #[test]
    fn storage_parameters_is_refused() {
        let mut table = table();
        assert_eq!(check(&table), []);
        table.options.push("fillfactor=70".into());
        assert_eq!(messages(check(&table)), ["it has storage parameters, which a partitioned table cannot have"]);
    }
}
