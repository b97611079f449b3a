//! Row security that binds the owner too: rows that a policy hides from us would be missing in the copy.

use terminal::Finding;

use crate::table::definition::Definition;

/// `sees_all_rows`: policies do not bind the role that runs the job.
pub(super) fn check(definition: &Definition, sees_all_rows: bool) -> Vec<Finding> {
    let finding = (definition.row_security && definition.forces_row_security && !sees_all_rows).then(|| {
        Finding::new(
            "forced-row-security",
            "its row security is forced, so that its policies may hide rows from this role",
        )
        .help("run it as a role with BYPASSRLS")
    });
    finding.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::obstacle::example::*;

    #[test]
    fn policies_that_may_hide_rows_from_us_are_refused() {
        let mut table = table();
        table.row_security = true;
        assert_eq!(check(&table, false), []);
        table.forces_row_security = true;
        assert_eq!(check(&table, true), []);
        assert_eq!(
            messages(check(&table, false)),
            ["its row security is forced, so that its policies may hide rows from this role"]
        );
    }
}
