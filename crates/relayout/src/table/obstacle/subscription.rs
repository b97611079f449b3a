//! Subscriptions: changes that arrive from another server go to the relation that they know, and would be lost.

use terminal::Finding;

use crate::table::definition::Definition;

pub(super) fn check(definition: &Definition) -> Vec<Finding> {
    let finding = definition
        .is_subscribed
        .then(|| Finding::new("subscription", "changes of another server arrive in it by a subscription"));
    finding.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::obstacle::example::*;

    #[test]
    fn subscription_is_refused() {
        let mut table = table();
        assert_eq!(check(&table), []);
        table.is_subscribed = true;
        assert_eq!(messages(check(&table)), ["changes of another server arrive in it by a subscription"]);
    }
}
