//! A replica identity of its own: it names an index of the old form.

use terminal::Finding;

use crate::table::definition::Definition;

pub(super) fn check(definition: &Definition) -> Vec<Finding> {
    let finding = (definition.replica_identity != "d")
        .then(|| Finding::new("replica-identity", "it has a replica identity of its own"));
    finding.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::obstacle::example::*;

    #[test]
    fn replica_identity_is_refused() {
        let mut table = table();
        assert_eq!(check(&table), []);
        table.replica_identity = "f".into();
        assert_eq!(messages(check(&table)), ["it has a replica identity of its own"]);
    }
}
