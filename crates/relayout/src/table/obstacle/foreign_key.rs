//! Foreign keys that lead out.

use terminal::Finding;

use crate::table::definition::Definition;

pub(super) fn check(definition: &Definition) -> Vec<Finding> {
    let found = definition.constraints.iter().filter(|it| it.kind == "f");
    found.map(|it| Finding::new("foreign-key", format!("it has the foreign key `{}`", it.name))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::obstacle::example::*;

    #[test]
    fn foreign_key_is_refused() {
        let mut table = table();
        assert_eq!(check(&table), []);
        table.constraints.push(Constraint { name: "c".into(), kind: "f".into(), ..table.constraints[0].clone() });
        assert_eq!(messages(check(&table)), ["it has the foreign key `c`"]);
    }
}
