//! Indexes in a tablespace of their own.

use terminal::Finding;

use crate::table::definition::Definition;

pub(super) fn check(definition: &Definition) -> Vec<Finding> {
    let found = definition.indexes.iter().filter_map(|it| Some((&it.name, it.tablespace.as_ref()?)));
    found
        .map(|(name, tablespace)| {
            Finding::new("index-tablespace", format!("its index `{name}` lies in tablespace `{tablespace}`"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::obstacle::example::*;

    #[test]
    fn index_tablespace_is_refused() {
        let mut table = table();
        assert_eq!(check(&table), []);
        table.indexes[0].tablespace = Some("fast".into());
        assert_eq!(messages(check(&table)), ["its index `t_pkey` lies in tablespace `fast`"]);
    }
}
