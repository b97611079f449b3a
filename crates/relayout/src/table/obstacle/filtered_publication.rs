//! Publications of some rows or columns only.

use terminal::Finding;

use crate::table::definition::Definition;

pub(super) fn check(definition: &Definition) -> Vec<Finding> {
    let found = definition.publications.iter().filter(|it| it.filtered);
    found
        .map(|it| {
            Finding::new(
                "filtered-publication",
                format!("publication `{}` takes only some of its rows or columns", it.name),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::obstacle::example::*;

    #[test]
    fn filtered_publication_is_refused() {
        let mut table = table();
        assert_eq!(check(&table), []);
        table.publications.push(Publication { name: "p".into(), filtered: true });
        assert_eq!(messages(check(&table)), ["publication `p` takes only some of its rows or columns"]);
    }
}
