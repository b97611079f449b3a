//! Foreign keys into the table: they would go on pointing to the old form.

use terminal::Finding;

use crate::table::definition::Definition;

pub(super) fn check(definition: &Definition) -> Vec<Finding> {
    let found = definition.referenced_by.iter().filter(|it| !it.is_empty());
    found.map(|it| Finding::new("referenced", format!("it is referenced by the foreign key {it}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::obstacle::example::*;

    #[test]
    fn referenced_is_refused() {
        let mut table = table();
        assert_eq!(check(&table), []);
        table.referenced_by.push("x_fkey of x".into());
        assert_eq!(messages(check(&table)), ["it is referenced by the foreign key x_fkey of x"]);
    }
}
