//! Security labels: only their provider knows what they mean.

use terminal::Finding;

use crate::table::definition::Definition;

pub(super) fn check(definition: &Definition) -> Vec<Finding> {
    let finding = (definition.security_labels > 0)
        .then(|| Finding::new("security-label", "it or a column of it has a security label"));
    finding.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::obstacle::example::*;

    #[test]
    fn security_label_is_refused() {
        let mut table = table();
        assert_eq!(check(&table), []);
        table.security_labels = 1;
        assert_eq!(messages(check(&table)), ["it or a column of it has a security label"]);
    }
}
