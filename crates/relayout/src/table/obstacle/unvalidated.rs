//! Constraints that not all rows were checked against: the new form would refuse some of them.

use terminal::Finding;

use crate::table::definition::Definition;

pub(super) fn check(definition: &Definition) -> Vec<Finding> {
    let found = definition.constraints.iter().filter(|it| !it.validated && !matches!(it.kind.as_str(), "x" | "f"));
    found
        .map(|it| Finding::new("constraint-not-validated", format!("its constraint `{}` is not validated", it.name)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::obstacle::example::*;

    #[test]
    fn constraint_not_validated_is_refused() {
        let mut table = table();
        assert_eq!(check(&table), []);
        table.constraints.push(Constraint {
            name: "c".into(),
            kind: "c".into(),
            validated: false,
            ..table.constraints[0].clone()
        });
        assert_eq!(messages(check(&table)), ["its constraint `c` is not validated"]);
    }
}
