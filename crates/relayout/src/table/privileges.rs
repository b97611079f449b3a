//! Who may do what with a table, as statements for its new form.

use database::quote::identifier;
use database::{Relation, Statement};

use super::definition::{Definition, Grant};

/// Grants what the definition says on another relation.
pub(crate) fn grants(relation: &Relation, definition: &Definition) -> Vec<Statement> {
    let grant = |grant: &Grant| {
        let column = grant.column.as_ref().map(|column| format!(" ({})", identifier(column))).unwrap_or_default();
        let option = if grant.grantable { " WITH GRANT OPTION" } else { "" };
        let grantee = grant.grantee.as_deref().unwrap_or("PUBLIC");
        Statement::new(
            "who may use the table may use its new form",
            format!("GRANT {}{column} ON {relation} TO {grantee}{option}", grant.privilege),
        )
    };
    definition.grants.iter().map(grant).collect()
}
