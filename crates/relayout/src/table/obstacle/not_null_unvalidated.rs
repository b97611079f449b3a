//! A NOT NULL that is not validated: the new form would refuse the rows that break it.

use terminal::Finding;

use crate::table::definition::Definition;

pub(super) fn check(definition: &Definition) -> Vec<Finding> {
    let found = definition.constraints.iter().filter(|it| it.kind == "n" && !it.validated);
    found
        .map(|it| {
            Finding::new("not-null-not-validated", format!("its NOT NULL constraint `{}` is not validated", it.name))
                .fix(format!("ALTER TABLE … VALIDATE CONSTRAINT {}", database::quote::identifier(&it.name)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::obstacle::example::*;

    #[test]
    fn not_null_unvalidated_is_refused() {
        let mut table = table();
        assert_eq!(check(&table), []);
        table.constraints.push(Constraint {
            name: "c".into(),
            kind: "n".into(),
            inherited: true,
            ..Constraint::default()
        });
        assert_eq!(messages(check(&table)), ["its NOT NULL constraint `c` is not validated"]);
    }
}
