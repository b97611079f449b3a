//! Constraints that tables below do not have: a partitioned table can have none.

use terminal::Finding;

use crate::table::definition::Definition;

pub(super) fn check(definition: &Definition) -> Vec<Finding> {
    let found = definition.constraints.iter().filter(|it| matches!(it.kind.as_str(), "c" | "n") && !it.inherited);
    found.map(|it| Finding::new("no-inherit", format!("its constraint `{}` is NO INHERIT", it.name))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::obstacle::example::*;

    #[test]
    fn no_inherit_is_refused() {
        let mut table = table();
        assert_eq!(check(&table), []);
        table.constraints.push(Constraint { name: "c".into(), kind: "c".into(), ..Constraint::default() });
        assert_eq!(messages(check(&table)), ["its constraint `c` is NO INHERIT"]);
    }
}
