//! What was made from the table and cannot be made anew; and what was made from a leaf that goes.

use terminal::Finding;

use crate::table::dependents::Dependent;

pub(super) fn check(dependents: &[Dependent]) -> Vec<Finding> {
    let fixed = dependents.iter().filter(|dependent| dependent.statement.is_none());
    let finding =
        |it: &Dependent| Finding::new("dependent", format!("{} depends on it and cannot be made anew", it.object));
    fixed.map(finding).collect()
}

/// `leaf` is its name, quoted.
pub(super) fn check_leaf(leaf: &str, dependents: &[Dependent]) -> Vec<Finding> {
    let finding =
        |it: &Dependent| Finding::new("dependent-on-leaf", format!("{} depends on its leaf {leaf}", it.object));
    dependents.iter().map(finding).collect()
}
