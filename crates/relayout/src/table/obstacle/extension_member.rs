//! Members of an extension: its new form would be none.

use terminal::Finding;

use crate::table::definition::Definition;

pub(super) fn check(definition: &Definition) -> Vec<Finding> {
    let found = definition.extension.iter();
    found.map(|it| Finding::new("extension-member", format!("it belongs to the extension `{it}`"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::obstacle::example::*;

    #[test]
    fn extension_member_is_refused() {
        let mut table = table();
        assert_eq!(check(&table), []);
        table.extension = Some("x".into());
        assert_eq!(messages(check(&table)), ["it belongs to the extension `x`"]);
    }
}
