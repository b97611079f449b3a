//! `CLUSTER ON`: a partitioned table has no such mark.

use terminal::Finding;

use crate::table::definition::Definition;

pub(super) fn check(definition: &Definition) -> Vec<Finding> {
    let found = definition.indexes.iter().filter(|it| it.clustered);
    found
        .map(|it| {
            Finding::new("clustered", format!("it is marked to be clustered on `{}`", it.name))
                .fix("ALTER TABLE … SET WITHOUT CLUSTER")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::obstacle::example::*;

    #[test]
    fn cluster_is_refused() {
        let mut table = table();
        assert_eq!(check(&table), []);
        table.indexes[0].clustered = true;
        assert_eq!(messages(check(&table)), ["it is marked to be clustered on `t_pkey`"]);
    }
}
