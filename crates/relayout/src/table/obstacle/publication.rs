//! Publications: what subscribers get has to stay what it is.

use terminal::Finding;

use crate::table::definition::Definition;
use crate::table::parts::Publication;

/// `keys` choose a row's leaf, if there are to be leaves.
pub(super) fn check(definition: &Definition, keys: &[&str]) -> Vec<Finding> {
    let of = |it: &Publication| {
        let name = &it.name;
        let reason = match it.scope.as_str() {
            "all" => format!("publication `{name}` takes all tables, the new form as well while it is made"),
            _ if it.filtered => format!("publication `{name}` takes only some of its rows or columns"),
            _ if !it.via_root && !keys.is_empty() => {
                format!("publication `{name}` would send the names of leaves to its subscribers")
            }
            _ => return None,
        };
        let finding = Finding::new("publication", reason);
        Some(if it.filtered || it.scope == "all" {
            finding
        } else {
            finding.fix(format!(
                "ALTER PUBLICATION {} SET (publish_via_partition_root = true)",
                database::quote::identifier(name)
            ))
        })
    };
    definition.publications.iter().filter_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::obstacle::example::{messages, table};

    #[test]
    fn a_publication_is_carried_if_subscribers_do_not_notice() {
        let mut table = table();
        let publication = |name: &str, scope: &str, filtered, via_root| Publication {
            name: name.into(),
            scope: scope.into(),
            filtered,
            via_root,
        };
        table.publications = vec![publication("a", "table", false, true), publication("b", "schema", false, true)];
        assert_eq!(check(&table, &["repo_name"]), []);
        table.publications = vec![
            publication("a", "all", false, true),
            publication("b", "table", true, true),
            publication("c", "schema", false, false),
        ];
        assert_eq!(check(&table, &[]).len(), 2);
        assert_eq!(
            messages(check(&table, &["repo_name"])),
            [
                "publication `a` takes all tables, the new form as well while it is made",
                "publication `b` takes only some of its rows or columns",
                "publication `c` would send the names of leaves to its subscribers"
            ]
        );
    }
}
