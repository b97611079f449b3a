//! Identity columns: partitioned tables have them since PostgreSQL 17.

use terminal::Finding;

use super::facts::ServerFacts;
use crate::table::definition::Definition;

const FIRST: i32 = 170_000;

pub(super) fn check(server: &ServerFacts, definition: &Definition) -> Vec<Finding> {
    let found = definition.columns.iter().filter(|it| it.identity_sequence.is_some() && server.version < FIRST);
    found
        .map(|it| {
            let message = format!(
                "its column `{}` is an identity column, which a partitioned table has since PostgreSQL 17; `bigserial` is not",
                it.name
            );
            Finding::new("identity-column", message)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::obstacle::example::*;

    #[test]
    fn identity_columns_are_carried_since_17() {
        let mut table = table();
        let server = |version| ServerFacts { version, ..ServerFacts::default() };
        assert_eq!(check(&server(160_014), &table), []);
        table.columns[2].identity_sequence = Some(identity_sequence());
        assert_eq!(check(&server(170_000), &table), []);
        assert_eq!(
            messages(check(&server(160_014), &table)),
            [
                "its column `body` is an identity column, which a partitioned table has since PostgreSQL 17; `bigserial` is not"
            ]
        );
    }
}
