//! `create-index`: its options, and doing it under the lock.

use std::time::Duration;

use database::{DatabaseLock, DatabaseUrl, Statement, Worker};
use ledger::migration::LAYER;
use relayout::concurrent_index::{self, Index};
use sqlx::PgConnection;
use terminal::console::Console;
use terminal::step::{Status, Step};

use crate::problem::Problem;
use crate::work::Waiting;

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct CreateIndex {
    /// The table
    #[arg(long, value_name = "TABLE")]
    table: String,
    /// Columns, as in SQL: `repo_name,language`, `embedding vector_cosine_ops`
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', required = true)]
    columns: Vec<String>,
    /// Name; default: as Ecto names it, `<table>_<columns>_index`
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Access method
    #[arg(long, value_name = "METHOD", default_value = "btree")]
    using: String,
    /// A unique index; its columns must include the table's partition key
    #[arg(long)]
    unique: bool,
    /// Columns that are stored in it and not searched by
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    include: Vec<String>,
    /// Storage parameters, as in SQL: `m = 16, ef_construction = 64`
    #[arg(long, value_name = "PARAMETERS")]
    with: Option<String>,
    /// Only rows for which this holds
    #[arg(long = "where", value_name = "CONDITION")]
    filter: Option<String>,
    /// Show the statements and change nothing; exit code 3 if there are any
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    pub(crate) waiting: Waiting,
}

/// What came of it.
pub(crate) struct Indexed {
    pub(crate) steps: Vec<Step>,
    /// What a dry run shows instead of its steps, ready to be pasted.
    pub(crate) sql: Option<String>,
}

impl CreateIndex {
    fn index(&self) -> Index {
        Index {
            table: self.table.clone(),
            name: self.name.clone(),
            columns: self.columns.clone(),
            using: self.using.clone(),
            unique: self.unique,
            include: self.include.clone(),
            with: self.with.clone(),
            filter: self.filter.clone(),
        }
    }

    pub(crate) async fn run(
        &self,
        connection: &mut PgConnection,
        url: &DatabaseUrl,
        patience: Duration,
        console: &Console,
    ) -> Result<Indexed, Problem> {
        let (index, database) = (self.index(), url.database());
        let plan = concurrent_index::plan(connection, &index, database).await?;
        if plan.is_empty() {
            return Ok(Indexed { steps: vec![step(database, &index, Status::Unchanged)], sql: None });
        }
        if self.dry_run {
            let pending = |statement: &Statement| {
                Step::new(database, LAYER, "index", index.name(), Status::Pending).detail(&statement.sql)
            };
            return Ok(Indexed { steps: plan.iter().map(pending).collect(), sql: Some(script(&plan)) });
        }
        let job = console.job(&format!("{database} {}", index.name()));
        let lock = DatabaseLock::acquire(url, patience, |text| job.announce(text)).await?;
        let mut worker = Worker::connect(&lock).await?;
        // Another runner may have been before us.
        let plan = concurrent_index::plan(&mut worker, &index, database).await?;
        concurrent_index::apply(&mut worker, &plan, &index, database, &job).await?;
        worker.close().await;
        lock.release().await;
        Ok(Indexed { steps: vec![step(database, &index, Status::Created)], sql: None })
    }
}

fn script(plan: &[Statement]) -> String {
    let statements: Vec<String> = plan.iter().map(Statement::to_string).collect();
    format!("-- each by itself, outside of a transaction\n{}", statements.join("\n"))
}

fn step(database: &str, index: &Index, status: Status) -> Step {
    Step::new(database, LAYER, "index", index.name(), status).detail(format!("of `{}`", index.table))
}
