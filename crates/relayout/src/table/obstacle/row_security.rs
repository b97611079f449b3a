//! Row-level security: who copies might not see all rows.

use terminal::Finding;

use crate::table::definition::Definition;

pub(super) fn check(definition: &Definition) -> Vec<Finding> {
    let finding = definition.row_security.then(|| Finding::new("row-security", "it has row-level security"));
    finding.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::obstacle::example::*;

    #[test]
    fn row_security_is_refused() {
        let mut table = table();
        assert_eq!(check(&table), []);
        table.row_security = true;
        assert_eq!(messages(check(&table)), ["it has row-level security"]);
    }
}
