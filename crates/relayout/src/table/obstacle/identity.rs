//! Identity columns.

use terminal::Finding;

use crate::table::definition::Definition;

pub(super) fn check(definition: &Definition) -> Vec<Finding> {
    let found = definition.columns.iter().filter(|it| it.identity);
    found
        .map(|it| {
            Finding::new(
                "identity-column",
                format!("its column `{}` is an identity column; `bigserial` is not", it.name),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::obstacle::example::*;

    #[test]
    fn identity_column_is_refused() {
        let mut table = table();
        assert_eq!(check(&table), []);
        table.columns[2].identity = true;
        assert_eq!(messages(check(&table)), ["its column `body` is an identity column; `bigserial` is not"]);
    }
}
