//! `layout`: shows how tables are stored, or declares another way for one of them.

use ledger::migration::LAYER;
use relayout::layout::{Division, Layout};
use sqlx::PgConnection;
use terminal::step::{Status, Step};

use crate::layout::{Choice, Declaration, find};
use crate::problem::Problem;

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Declare {
    /// Table to declare another layout for
    #[arg(long, value_name = "TABLE", requires = "into")]
    pub(crate) table: Option<String>,
    /// Leaves of equal share, a power of two; 1 is one plain table
    #[arg(long, value_name = "COUNT", requires = "table", group = "into", value_parser = leaves)]
    leaves: Option<u32>,
    /// A leaf for each week of this column, which is a time: for tables that only grow, and of which the old goes
    #[arg(long, value_name = "COLUMN", requires = "table", group = "into")]
    pub(crate) by_week: Option<String>,
    #[command(flatten)]
    pub(crate) choice: Choice,
}

const MOST_LEAVES: u32 = 1024;

fn leaves(text: &str) -> Result<u32, String> {
    let count: Option<u32> = text.parse().ok();
    let count = count.filter(|count| count.is_power_of_two() && *count <= MOST_LEAVES);
    count.ok_or_else(|| format!("it is no power of two from 1 to {MOST_LEAVES}"))
}

impl Declare {
    /// What is asked for, if it is not so already.
    pub(crate) async fn declare(
        &self,
        connection: &mut PgConnection,
        layouts: &[Layout],
        database: &str,
    ) -> Result<Vec<Declaration>, Problem> {
        let Some(table) = &self.table else { return Ok(Vec::new()) };
        let (layout, desired) = if let Some(key) = &self.by_week {
            let failed = database::Error::sql("read the layout that it would have", database);
            let layout = Layout::by_week(connection, table, key).await.map_err(failed)?;
            match &layout.division {
                Division::Weeks { key: declared } if declared == key => {}
                other => return Err(Problem::DividedOtherwise { table: table.clone(), key: other.key().to_owned() }),
            }
            let desired = layout.desired.clone();
            (layout, desired)
        } else {
            let layout = find(layouts, table)?.clone();
            let leaves = self.leaves.unwrap_or(1);
            let desired = layout.division.even(leaves);
            let desired = desired.ok_or_else(|| Problem::InWeeks { table: table.clone(), leaves })?;
            (layout, desired)
        };
        let as_declared = layouts.iter().find(|known| known.table == *table);
        if as_declared.is_some_and(|known| known.is_reached() && known.desired == desired) {
            return Ok(Vec::new());
        }
        Ok(vec![Declaration { layout, what: desired.to_string(), desired }])
    }

    /// Each table with the layout that is wanted, and what it has instead.
    pub(crate) fn show(layouts: &[Layout], database: &str) -> Vec<Step> {
        let show = |layout: &Layout| {
            let status = if layout.is_reached() { Status::Found } else { Status::Pending };
            Step::new(database, LAYER, "layout", &layout.table, status).detail(layout.way())
        };
        layouts.iter().map(show).collect()
    }
}
