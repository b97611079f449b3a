//! The statements of a plan, for people and for `--json`.

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
        layouts: &[Layout],
        database: &str,
    ) -> Result<Self, Problem> {
        let mut tables = Vec::new();
        for layout in layouts.iter().filter(|layout| !layout.is_reached()) {
            let failed = database::Error::sql(&format!("plan the layout of table `{}`", layout.table), database);
            tables.push((layout.table.clone(), preview::preview(connection, layout).await.map_err(failed)?));
        }
        Ok(Self(tables))
    }

    /// On stdout. Of several statements that differ only in the leaf that they are about, the first.
    pub(crate) fn print(&self, console: &Console) {
        for (table, phases) in &self.0 {
            for PhaseStatements { phase, after_a_kill, statements } in phases {
                console.result(&format!("-- {table}, phase {phase}; a kill leaves {after_a_kill}"));
                for alike in statements.chunk_by(|one, next| one.why == next.why && kind(&one.sql) == kind(&next.sql)) {
                    console.result(&alike[0].to_string());
                    if alike.len() > 1 {
                        console.result(&format!("-- … and {} like it", alike.len() - 1));
                    }
                }
                console.result("");
            }
        }
    }

    /// All of them.
    pub(crate) fn documents(&self) -> Vec<StatementReport> {
        let of_table = |(table, phases): &(String, Vec<PhaseStatements>)| {
            let of_phase = |PhaseStatements { phase, statements, .. }: &PhaseStatements| {
                let document = |statement: &database::Statement| StatementReport {
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

/// `CREATE TABLE`, `ALTER INDEX`.
fn kind(sql: &str) -> (Option<&str>, Option<&str>) {
    let mut words = sql.split_whitespace();
    (words.next(), words.next())
}
