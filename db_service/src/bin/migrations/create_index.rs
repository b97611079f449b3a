//! `create-index`: its options, and doing it under the lock.

use std::time::Duration;

use db_service::concurrent_index::{self, Index};
use db_service::console::Console;
use db_service::lock::DatabaseLock;
use db_service::step::{Status, Step};
use db_service::{DatabaseUrl, Error, connection};
use sqlx::PgConnection;

use crate::problem::Problem;

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
        database: &str,
        patience: Duration,
        console: &Console,
    ) -> Result<Vec<Step>, Problem> {
        let index = self.index();
        let plan = concurrent_index::plan(connection, &index, database).await?;
        if plan.is_empty() {
            return Ok(vec![concurrent_index::step(database, &index, Status::Unchanged)]);
        }
        if self.dry_run {
            let pending = |statement: &String| {
                Step::new(database, "sqlx", "index", index.name(), Status::Pending).detail(statement)
            };
            return Ok(plan.statements().iter().map(pending).collect());
        }
        let lock = DatabaseLock::acquire(url, patience, |text| console.busy(text)).await?;
        // Another runner may have been before us.
        let plan = concurrent_index::plan(connection, &index, database).await?;
        connection::prepare_for_changes(connection).await.map_err(Error::sql("prepare for changes", database))?;
        let busy = |text: &str| console.busy(text);
        concurrent_index::apply(connection, &plan, &index, database, busy).await?;
        lock.release().await;
        Ok(vec![concurrent_index::step(database, &index, Status::Created)])
    }
}
