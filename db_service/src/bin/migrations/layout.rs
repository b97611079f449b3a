//! The commands that change layouts: what they ask for.

use ledger::migration::LAYER;
use relayout::adaptive::{self, Proposal};
use relayout::layout::planner::Advice;
use relayout::layout::{Division, Estimate, Layout, Leaf, Shape};
use sqlx::PgConnection;
use terminal::step::{Status, Step};

use crate::problem::Problem;
use crate::work::Work;

/// What every command takes that moves rows by hand.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Choice {
    /// Show what would be done and change nothing; exit code 3 if there is something
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) work: Work,
}

/// Said where the words first appear.
pub(crate) const EXPLAINED: &str = "a layout is how a table's rows are stored: in one plain table, or in leaves; a leaf is a table below \
                                    it (a partition) that holds the repositories of one share of all hashes, or the rows of a week";

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Revert {
    /// Table to revert; may be given several times; default: all
    #[arg(long = "table", value_name = "TABLE")]
    tables: Vec<String>,
    #[command(flatten)]
    pub(crate) choice: Choice,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Split {
    /// Table to look at; default: all
    #[arg(long, value_name = "TABLE")]
    table: Option<String>,
    /// Leaf to split whatever it holds, as modulus/remainder; needs `--table`
    #[arg(long, value_name = "M/R", requires = "table")]
    leaf: Option<Leaf>,
    /// Split by the hash of the path where one repository is most of a leaf
    #[arg(long)]
    by_path: bool,
    #[command(flatten)]
    pub(crate) choice: Choice,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Merge {
    /// Table to merge leaves of
    #[arg(long, value_name = "TABLE")]
    table: String,
    /// The leaf that there will be, as modulus/remainder
    #[arg(long, value_name = "M/R")]
    leaf: Leaf,
    #[command(flatten)]
    pub(crate) choice: Choice,
}

/// A layout that is going to be declared.
pub(crate) struct Declaration {
    pub(crate) layout: Layout,
    pub(crate) desired: Shape,
    pub(crate) what: String,
}

impl Declaration {
    fn pending(&self, cost: Option<Estimate>, database: &str) -> Step {
        let cost = cost.map(|cost| format!(": {cost}")).unwrap_or_default();
        let detail = format!("{}{cost}", self.what);
        Step::new(database, LAYER, "layout", &self.layout.table, Status::Pending).detail(detail)
    }

    /// The command that declares leaves again: of hashes, as many as there were or a little more.
    pub(crate) fn way_back(&self) -> Option<String> {
        let Layout { table, division, actual, desired, .. } = &self.layout;
        let into = match division {
            Division::Hash { .. } => {
                let leaves = actual.leaves().len().max(desired.leaves().len());
                (leaves > 1).then(|| format!("--leaves {}", leaves.next_power_of_two()))?
            }
            Division::Weeks { key } => format!("--by-week {key}"),
        };
        Some(format!("to go back: `migrations layout --table {table} {into}`"))
    }
}

/// What is going to be declared, and with the last layout of each table what the way to it takes in all.
pub(crate) fn pending(declarations: &[Declaration], wanted: &[Layout], database: &str) -> Vec<Step> {
    let is_last = |index: usize| declarations[index + 1..].iter().all(|it| it.layout.table != wanted[index].table);
    let cost = |index: usize| wanted[index].estimate.filter(|_| is_last(index) && !wanted[index].is_reached());
    declarations.iter().enumerate().map(|(index, it)| it.pending(cost(index), database)).collect()
}

impl Revert {
    pub(crate) fn declare(&self, layouts: &[Layout]) -> Result<Vec<Declaration>, Problem> {
        for table in &self.tables {
            find(layouts, table)?;
        }
        let chosen = layouts.iter().filter(|layout| self.tables.is_empty() || self.tables.contains(&layout.table));
        let partitioned = chosen.filter(|layout| layout.actual != Shape::Plain || layout.phase.is_some());
        let declare = |layout: &Layout| Declaration {
            layout: layout.clone(),
            desired: Shape::Plain,
            what: Shape::Plain.to_string(),
        };
        Ok(partitioned.map(declare).collect())
    }
}

impl Split {
    /// What each leaf holds, and from how many rows on it is split.
    pub(crate) async fn show(
        &self,
        connection: &mut PgConnection,
        layouts: &[Layout],
        database: &str,
    ) -> Result<Vec<Step>, Problem> {
        let mut steps = Vec::new();
        for layout in self.chosen(layouts)? {
            let most = adaptive::most_rows(connection, layout, database).await?;
            let contents = adaptive::contents(connection, layout, database).await?;
            let most = most.map_or("it is never split by itself".into(), |most| format!("split above {most} rows"));
            if contents.leaves.is_empty() {
                let detail = format!("{} holds {contents}; there is no leaf to split", layout.actual);
                steps.push(Step::new(database, LAYER, "layout", &layout.table, Status::Found).detail(detail));
            }
            for (leaf, size) in &contents.leaves {
                let detail = format!("of `{}` holds {size}; {most}", layout.table);
                steps.push(Step::new(database, LAYER, "leaf", leaf.to_string(), Status::Found).detail(detail));
            }
        }
        Ok(steps)
    }

    fn chosen<'a>(&self, layouts: &'a [Layout]) -> Result<&'a [Layout], Problem> {
        match &self.table {
            Some(table) => Ok(std::slice::from_ref(find(layouts, table)?)),
            None => Ok(layouts),
        }
    }

    /// What is to be split, and what cannot be.
    pub(crate) async fn declare(
        &self,
        connection: &mut PgConnection,
        layouts: &[Layout],
        database: &str,
    ) -> Result<(Vec<Declaration>, Vec<Step>), Problem> {
        let (mut declarations, mut left_out) = (Vec::new(), Vec::new());
        for layout in self.chosen(layouts)? {
            if let Some(leaf) = self.leaf
                && !layout.actual.leaves().contains(&leaf)
            {
                let leaves = names(&layout.actual);
                return Err(Problem::UnknownLeaf { table: layout.table.clone(), leaf, leaves });
            }
            let mut layout = layout.clone();
            for proposal in adaptive::propose(connection, &layout, self.leaf, database).await? {
                match proposal.accept(&layout, self.by_path) {
                    Some(desired) => {
                        let what = describe(&proposal);
                        declarations.push(Declaration { layout: layout.clone(), desired: desired.clone(), what });
                        layout.desired = desired;
                    }
                    None => left_out.push(not_split(&proposal, database)),
                }
            }
        }
        Ok((declarations, left_out))
    }
}

impl Merge {
    pub(crate) fn declare(&self, layouts: &[Layout]) -> Result<Vec<Declaration>, Problem> {
        let layout = find(layouts, &self.table)?;
        let desired = adaptive::merged(layout, self.leaf).ok_or_else(|| Problem::NothingToMerge {
            table: self.table.clone(),
            leaf: self.leaf,
            leaves: names(&layout.desired),
        })?;
        let what = format!("leaf {} in place of those below it", self.leaf);
        Ok(vec![Declaration { layout: layout.clone(), desired, what }])
    }
}

fn describe(proposal: &Proposal) -> String {
    let (leaf, rows) = (proposal.leaf, proposal.rows);
    match &proposal.advice {
        Advice::ByPath { leaf: split, repository, .. } => {
            format!("leaf {leaf} ({rows} rows, most of them of `{repository}`) into {} parts by path", split.paths)
        }
        Advice::Split(parts) => format!("leaf {leaf} ({rows} rows) into {}", listed(parts)),
        Advice::Fine | Advice::Full => format!("leaf {leaf} ({rows} rows)"),
    }
}

/// Why a leaf stays as it is.
fn not_split(proposal: &Proposal, database: &str) -> Step {
    let (why, remedy) = match &proposal.advice {
        Advice::ByPath { repository, share, .. } => (
            format!("is not splittable by repository: `{repository}` is {:.0} % of it", share * 100.0),
            Some("split it by path, with `--by-path`"),
        ),
        Advice::Full => (
            "cannot be split: the table has as many leaves as it may".to_owned(),
            Some("raise `most_leaves` in db_service.layout_policy, or merge others"),
        ),
        Advice::Fine if proposal.leaf.paths > 1 => ("is split by path already".to_owned(), None),
        Advice::Fine | Advice::Split(_) => ("holds nothing to divide".to_owned(), None),
    };
    let detail = format!("leaf {} ({} rows) {why}", proposal.leaf, proposal.rows);
    let step = Step::new(database, LAYER, "layout", &proposal.table, Status::LeftOut).detail(detail);
    match remedy {
        Some(remedy) => step.remedy(remedy),
        None => step,
    }
}

pub(crate) fn find<'a>(layouts: &'a [Layout], table: &str) -> Result<&'a Layout, Problem> {
    layouts.iter().find(|layout| layout.table == table).ok_or_else(|| {
        let known = layouts.iter().map(|layout| format!("`{}`", layout.table)).collect::<Vec<_>>().join(", ");
        Problem::UnknownTable { name: table.to_owned(), known }
    })
}

/// The hash leaves of a table, or why it has none.
fn names(shape: &Shape) -> String {
    match shape.leaves() {
        [] => format!("none: it is {shape}"),
        leaves => listed(leaves),
    }
}

fn listed(leaves: &[Leaf]) -> String {
    leaves.iter().map(Leaf::to_string).collect::<Vec<_>>().join(", ")
}
