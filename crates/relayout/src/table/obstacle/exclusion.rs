//! Exclusion constraints: a partitioned table has them since PostgreSQL 17 only, and with the key.

use terminal::Finding;

use crate::table::definition::Definition;

pub(super) fn check(definition: &Definition) -> Vec<Finding> {
    let found = definition.constraints.iter().filter(|it| it.kind == "x");
    found
        .map(|it| Finding::new("exclusion-constraint", format!("it has the exclusion constraint `{}`", it.name)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::obstacle::example::*;

    #[test]
    fn exclusion_constraint_is_refused() {
        let mut table = table();
        assert_eq!(check(&table), []);
        table.constraints.push(Constraint { name: "c".into(), kind: "x".into(), ..table.constraints[0].clone() });
        assert_eq!(messages(check(&table)), ["it has the exclusion constraint `c`"]);
    }
}
