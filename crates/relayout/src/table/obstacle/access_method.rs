//! Another access method than `heap`: how rows are kept there is its own affair.

use terminal::Finding;

use crate::table::definition::Definition;

pub(super) fn check(definition: &Definition) -> Vec<Finding> {
    let found = definition.access_method.iter();
    found.map(|it| Finding::new("access-method", format!("its access method is `{it}`, not `heap`"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::obstacle::example::*;

    #[test]
    fn access_method_is_refused() {
        let mut table = table();
        assert_eq!(check(&table), []);
        table.access_method = Some("columnar".into());
        assert_eq!(messages(check(&table)), ["its access method is `columnar`, not `heap`"]);
    }
}
