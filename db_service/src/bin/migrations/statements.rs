//! The statements of a plan, for people and for `--json`.

use std::fmt::Write as _;

use database::Statement;
use relayout::Budget;
use relayout::layout::Layout;
use relayout::preview::{self, PhaseStatements};
use sqlx::PgConnection;
use terminal::console::Console;
use terminal::report::StatementReport;

use crate::problem::Problem;

/// Those of every table that is not in its layout.
#[derive(Debug, Default)]
pub(crate) struct Statements(Vec<(String, Vec<PhaseStatements>)>);

impl Statements {
    pub(crate) async fn read(
        connection: &mut PgConnection,
        layouts: impl Iterator<Item = &Layout>,
        budget: Budget,
        database: &str,
    ) -> Result<Self, Problem> {
        let mut tables = Vec::new();
        for layout in layouts.filter(|layout| !layout.is_reached()) {
            let failed = database::Error::sql(&format!("plan the layout of table `{}`", layout.table), database);
            tables.push((layout.table.clone(), preview::preview(connection, layout, budget).await.map_err(failed)?));
        }
        Ok(Self(tables))
    }

    /// On stdout.
    pub(crate) fn print(&self, console: &Console) {
        for line in self.text().lines() {
            console.result(line);
        }
    }

    /// For people. Of several statements that differ in the leaf alone, the first.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for (table, phases) in &self.0 {
            for PhaseStatements { phase, next, after_a_kill, statements } in phases {
                let _ =
                    writeln!(text, "-- {table}: {phase} → {next}; a kill before the end of it leaves {after_a_kill}");
                for (statement, count) in distinct(statements) {
                    let _ = writeln!(text, "{statement}");
                    if count > 1 {
                        let _ = writeln!(text, "-- … and {} like it", count - 1);
                    }
                }
                text.push('\n');
            }
        }
        text
    }

    /// All of them.
    pub(crate) fn documents(&self) -> Vec<StatementReport> {
        let of_table = |(table, phases): &(String, Vec<PhaseStatements>)| {
            let of_phase = |PhaseStatements { phase, statements, .. }: &PhaseStatements| {
                let document = |statement: &Statement| StatementReport {
                    name: table.clone(),
                    phase: phase.name(),
                    why: statement.why,
                    lock: statement.lock.as_ref().map(|lock| format!("{} on {}", lock.mode, lock.relation.plain())),
                    sql: statement.sql.clone(),
                };
                statements.iter().map(document).collect::<Vec<_>>()
            };
            phases.iter().flat_map(of_phase).collect::<Vec<_>>()
        };
        self.0.iter().flat_map(of_table).collect()
    }
}

/// The first of each kind, and how many there are: leaves differ in numbers.
fn distinct(statements: &[Statement]) -> Vec<(&Statement, usize)> {
    let kind = |statement: &Statement| statement.sql.replace(|character: char| character.is_ascii_digit(), "");
    let mut kinds: Vec<(String, &Statement, usize)> = Vec::new();
    for statement in statements {
        let kind = kind(statement);
        match kinds.iter_mut().find(|(known, ..)| *known == kind) {
            Some((.., count)) => *count += 1,
            None => kinds.push((kind, statement, 1)),
        }
    }
    kinds.into_iter().map(|(_, statement, count)| (statement, count)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_are_told_once() {
        let of = |sql: &str| Statement::new("why", sql);
        let statements = [of("CREATE TABLE leaf_2_0.t"), of("ALTER TABLE t"), of("CREATE TABLE leaf_2_1.t")];
        assert_eq!(distinct(&statements), [(&statements[0], 2), (&statements[1], 1)]);
    }
}
