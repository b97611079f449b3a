//! `plan --sql`: what is pending as SQL, to be reviewed or handed to psql.

use db_service::layer::PerformancePlan;
use ledger::migration::Migrations;

use crate::statements::Statements;

const NOTHING: &str = "-- nothing is pending";

const MIGRATIONS: &str = "\
-- What is pending. Where psql runs it (with ON_ERROR_STOP=1, while no other run is under way), the migrations are applied as
-- `migrations` would apply them, which then finds them in its ledger.
";

const AFTERWARDS: &str = "\
-- Layouts that these declare are brought about by `migrations`; once they are applied, `migrations plan --sql` shows how.
";

const LAYOUTS: &str = "\
-- What follows moves rows, and is here to be read: comments alone. Rows are copied batch by batch, and their changes after
-- them, by loops that no list of statements can say; run by hand, the swap would put an empty table in the place of a full
-- one. `migrations` runs it.
";

/// All of it.
pub(crate) fn script(plan: &PerformancePlan, migrations: &Migrations, statements: &Statements) -> String {
    let mut parts = Vec::new();
    let applied = plan.script(migrations);
    if !applied.is_empty() {
        parts.push(format!("{MIGRATIONS}\n{applied}"));
        parts.push(AFTERWARDS.to_owned());
    }
    let moved = statements.text();
    if !moved.is_empty() {
        parts.push(format!("{LAYOUTS}\n{}", commented(&moved)));
    }
    if parts.is_empty() { NOTHING.to_owned() } else { parts.join("\n").trim_end().to_owned() }
}

/// Each line as a comment, if it is not one or empty.
fn commented(text: &str) -> String {
    let comment = |line: &str| {
        if line.is_empty() || line.starts_with("--") { format!("{line}\n") } else { format!("--   {line}\n") }
    };
    text.lines().map(comment).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_of_what_moves_rows_is_left_to_be_run() {
        let text = commented("-- why\nDROP TABLE t;\n\n  BEGIN\n");
        assert_eq!(text, "-- why\n--   DROP TABLE t;\n\n--     BEGIN\n");
    }
}
