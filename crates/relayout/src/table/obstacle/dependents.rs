//! What was made from the table and cannot be made anew; and what was made from a leaf that goes.

use terminal::Finding;

use crate::table::dependents::Dependent;

/// The rule about what belongs to others than the role that runs the job.
pub(crate) const FOREIGN: &str = "foreign-dependent";

/// The rule about what was made from a leaf.
pub(crate) const ON_LEAF: &str = "dependent-on-leaf";

/// `role` is the one that runs the job.
pub(super) fn check(dependents: &[Dependent], role: &str) -> Vec<Finding> {
    let finding = |it: &Dependent| {
        let object = &it.object;
        if it.statement.is_none() {
            return Some(Finding::new("dependent", format!("{object} depends on it and cannot be made anew")));
        }
        if let Some(owner) = &it.foreign_owner {
            let message = format!("{object} depends on it and belongs to {owner}, of whom `{role}` is no member");
            return Some(Finding::new(FOREIGN, message).fix(format!("GRANT {owner} TO {role}")));
        }
        let schema = it.closed_schema.as_ref()?;
        let message = format!("{object} depends on it, and `{role}` may not create in its schema {schema}");
        Some(Finding::new(FOREIGN, message).fix(format!("GRANT CREATE ON SCHEMA {schema} TO {role}")))
    };
    dependents.iter().filter_map(finding).collect()
}

/// `leaf` is its name, quoted.
pub(super) fn check_leaf(leaf: &str, dependents: &[Dependent]) -> Vec<Finding> {
    let finding = |it: &Dependent| Finding::new(ON_LEAF, format!("{} depends on its leaf {leaf}", it.object));
    dependents.iter().map(finding).collect()
}
