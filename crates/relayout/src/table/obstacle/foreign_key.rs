//! Foreign keys that lead out and that not all rows were checked against: before PostgreSQL 18 a partitioned table can have none.

use terminal::Finding;

use crate::table::definition::Definition;

pub(super) fn check(definition: &Definition) -> Vec<Finding> {
    let found = definition.foreign_keys().filter(|it| !it.validated);
    found
        .map(|it| {
            Finding::new("foreign-key-not-validated", format!("its foreign key `{}` is not validated", it.name))
                .fix(format!("ALTER TABLE … VALIDATE CONSTRAINT {}", database::quote::identifier(&it.name)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::obstacle::example::*;

    #[test]
    fn a_foreign_key_is_carried_if_it_holds() {
        let mut table = table();
        table.constraints.push(Constraint { name: "c".into(), kind: "f".into(), ..table.constraints[0].clone() });
        assert_eq!(check(&table), []);
        table.constraints[1].validated = false;
        assert_eq!(messages(check(&table)), ["its foreign key `c` is not validated"]);
    }
}
