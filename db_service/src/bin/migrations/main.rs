//! The performance layer for production: needs `DATABASE_URL` and nothing else, no Elixir, no Nix, no source tree.

mod create_index;
mod layout;
mod problem;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Parser, Subcommand};
use db_service::console::Console;
use db_service::lock::DatabaseLock;
use db_service::migrate;
use db_service::migration::Migrations;
use db_service::relayout::{Budget, Context, Progress, SMALL};
use db_service::report::{Report, Server};
use db_service::step::{Status, Step};
use db_service::{DatabaseUrl, Error, Failure, adaptive, audit, connection, ecto};
use sqlx::{Connection as _, PgConnection};

use create_index::CreateIndex;
use layout::{Declaration, Merge, Revert, Split};
use problem::Problem;

/// Brings the performance layer of Singularity's database up to date
///
/// Without a command: checks that Ecto's migrations are all applied, applies the layer's own, then brings the tables into
/// the layouts that these declare, while the tables are in use. Runs again at no cost
/// and may be killed at any moment; the next run finishes the work.
///
/// Exit codes: 0 done or nothing to do, 1 failed, 2 usage, 3 pending work (`plan`), 4 a rule is broken.
#[derive(Debug, Parser)]
#[command(name = "migrations", version)]
struct Options {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
struct Common {
    /// Database to work on, `postgres://user:password@host:5432/database`
    #[arg(long, global = true, value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
    /// Print the outcome as JSON on stdout
    #[arg(long, global = true)]
    json: bool,
    /// Do not ask, and convert tables of any size; without it, those of more than 1 GiB are left out
    #[arg(long, global = true)]
    yes: bool,
    /// How long to wait for another runner
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 600)]
    lock_timeout: u64,
    /// Connections that copy rows and build indexes side by side
    #[arg(long, global = true, value_name = "COUNT", default_value_t = Budget::MODEST.jobs)]
    jobs: usize,
    /// Memory for all index builds together; an HNSW graph that does not fit its share is built many times slower
    #[arg(long, global = true, value_name = "MEGABYTES", default_value_t = Budget::MODEST.megabytes)]
    index_memory: u32,
    /// What is free on the server's disk, which SQL does not show; a table that needs more is refused
    #[arg(long, global = true, value_name = "GB")]
    free_disk: Option<u64>,
}

impl Common {
    fn budget(&self) -> Budget {
        Budget { jobs: self.jobs, megabytes: self.index_memory }
    }
}

#[derive(Clone, Debug, Subcommand)]
enum Command {
    /// Show what a run would do; exit code 3 if there is something
    Plan,
    /// Show the ledgers, and the layout that is wanted and is there
    Status,
    /// Check that layouts, indexes and the leftovers of unfinished work are as they should be; exit code 4 if not
    Verify,
    /// Split leaves that hold too many rows, while they are in use
    ///
    /// Without `--leaf`: those that hold more than twice what `db_service.layout_policy` says.
    Split(Split),
    /// Make one leaf of several again, while they are in use
    Merge(Merge),
    /// Build an index beside the writers, also on a partitioned table, where `concurrently: true` is refused
    ///
    /// For the index of an Ecto migration that says `create_if_not_exists index(…)`: build it first, then deploy that.
    CreateIndex(CreateIndex),
    /// Make plain tables of partitioned ones again, while they are in use; no row is lost
    Revert(Revert),
}

impl Command {
    fn name(command: Option<&Self>) -> &'static str {
        match command {
            None => "migrations",
            Some(Self::Plan) => "migrations plan",
            Some(Self::Status) => "migrations status",
            Some(Self::Verify) => "migrations verify",
            Some(Self::Split(_)) => "migrations split",
            Some(Self::Merge(_)) => "migrations merge",
            Some(Self::CreateIndex(_)) => "migrations create-index",
            Some(Self::Revert(_)) => "migrations revert",
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let options = Options::parse();
    let console = Console::new();
    let started = Instant::now();
    let mut run = Run { console: &console, steps: Vec::new(), server: None };
    let outcome = tokio::select! {
        outcome = run.execute(&options) => outcome,
        _ = tokio::signal::ctrl_c() => Err(Problem::Interrupted),
    };
    let error = outcome.err();
    let errors: Vec<&dyn Failure> = error.iter().map(|error| error as &dyn Failure).collect();
    let report = Report::new(
        Command::name(options.command.as_ref()),
        run.server,
        run.steps,
        Vec::new(),
        &errors,
        started.elapsed(),
    );
    console.done();
    if let Some(error) = &error {
        console.error(error);
    }
    if options.common.json {
        console.json(&report);
    } else if error.is_none() {
        console.result(&report.summary());
    }
    report.exit().into()
}

struct Run<'a> {
    console: &'a Console,
    steps: Vec<Step>,
    server: Option<Server>,
}

impl Run<'_> {
    async fn execute(&mut self, options: &Options) -> Result<(), Problem> {
        let text = options.common.database_url.as_deref().ok_or(Problem::NoUrl)?;
        let url = DatabaseUrl::parse(text).map_err(Error::from)?;
        self.console.keep_secret(url.secrets());
        let database = url.database().ok_or(Problem::NoDatabase)?;
        self.server = Some(Server { kind: "url".into(), url: url.to_string(), postgresql: None });
        let migrations = Migrations::embedded(sqlx::migrate!("../migrations")).map_err(Error::from)?;
        let files = ecto::Files::embedded().map_err(Error::from)?;
        let mut connection = connection::connect(&url).await.map_err(Error::from)?;

        if let Some(Command::CreateIndex(create)) = &options.command {
            // Before the gate, which an index that was cut off would not pass.
            let patience = Duration::from_secs(options.common.lock_timeout);
            let steps = create.run(&mut connection, &url, database, patience, self.console).await?;
            self.report_all([steps]);
            connection::close(connection).await;
            return Ok(());
        }
        let facts = Facts::read(&mut connection, database, &migrations).await?;
        if matches!(options.command, Some(Command::Status)) {
            // Shown even if a rule is broken, which the plan then says.
            self.report_all([ecto_steps(database, &files, &facts.ecto)]);
        }
        let plan = facts.plan(database, &migrations, &files)?;
        let answer = match &options.command {
            Some(Command::Status) => Some([plan.unchanged(database), plan.pending(database)].concat()),
            Some(Command::Plan) => Some(plan.pending(database)),
            Some(Command::Verify) => Some(audit::audit(&url, &mut connection, plan.layouts()).await?),
            None if plan.is_empty() => Some(plan.unchanged(database)),
            _ => None,
        };
        if let Some(steps) = answer {
            self.report_all([steps]);
        } else if let Some(declarations) = self.declarations(options, &mut connection, &plan, database).await? {
            self.change(&mut connection, &url, options, &migrations, &files, declarations).await?;
        }
        connection::close(connection).await;
        Ok(())
    }

    /// The layouts that a command asks for, agreed to; none where there is nothing to do or only to be told.
    async fn declarations(
        &mut self,
        options: &Options,
        connection: &mut PgConnection,
        plan: &migrate::Plan,
        database: &str,
    ) -> Result<Option<Vec<Declaration>>, Problem> {
        let layouts = plan.layouts();
        let (choice, declarations) = match &options.command {
            Some(Command::Revert(revert)) => (&revert.choice, revert.declare(layouts)?),
            Some(Command::Merge(merge)) => (&merge.choice, merge.declare(layouts)?),
            Some(Command::Split(split)) => {
                let (declarations, left_out) = split.declare(connection, layouts, database).await?;
                self.report_all([left_out]);
                (&split.choice, declarations)
            }
            _ => return Ok(Some(Vec::new())),
        };
        let steps: Vec<Step> = declarations.iter().map(|declaration| declaration.pending(database)).collect();
        if choice.dry_run || steps.is_empty() {
            self.report_all([steps]);
            return Ok(None);
        }
        layout::consent(&steps, options.common.yes)?;
        Ok(Some(declarations))
    }

    /// Takes the lock, then does the work, as far as it is still to be done: another runner may have been before us.
    async fn change(
        &mut self,
        connection: &mut PgConnection,
        url: &DatabaseUrl,
        options: &Options,
        migrations: &Migrations,
        files: &ecto::Files,
        declarations: Vec<Declaration>,
    ) -> Result<(), Problem> {
        let database = url.database().ok_or(Problem::NoDatabase)?;
        let patience = Duration::from_secs(options.common.lock_timeout);
        let lock = DatabaseLock::acquire(url, patience, |text| self.console.busy(text)).await?;
        let plan = Facts::read(connection, database, migrations).await?.plan(database, migrations, files)?;
        connection::prepare_for_changes(connection).await.map_err(Error::sql("prepare for changes", database))?;
        let (console, steps) = (self.console, &mut self.steps);
        let busy = |text: &str| console.busy(text);
        let progress = Progress::new(&busy);
        // Who has declared a layout by hand has agreed to it.
        let most_bytes = if options.common.yes || !declarations.is_empty() { u64::MAX } else { SMALL };
        let free_disk = options.common.free_disk.map(|gigabytes| gigabytes * 1_000_000_000);
        let context = Context { url, budget: options.common.budget(), free_disk, most_bytes, progress: &progress };
        let report = |step: Step| {
            console.step(&step);
            steps.push(step);
        };
        if declarations.is_empty() {
            migrate::apply(&plan, migrations, connection, context, report).await?;
        } else {
            for declaration in &declarations {
                adaptive::declare(connection, &declaration.layout, &declaration.desired, context).await?;
            }
            migrate::converge(connection, context, report).await?;
        }
        lock.release().await;
        Ok(())
    }

    fn report_all<const N: usize>(&mut self, groups: [Vec<Step>; N]) {
        for step in groups.into_iter().flatten() {
            self.console.step(&step);
            self.steps.push(step);
        }
    }
}

/// What the two ledgers say.
struct Facts {
    ecto: ecto::State,
    layer: migrate::State,
}

impl Facts {
    async fn read(connection: &mut PgConnection, database: &str, migrations: &Migrations) -> Result<Self, Error> {
        let failed = || Error::sql("read the ledgers", database);
        let mut transaction = connection.begin_with("BEGIN READ ONLY").await.map_err(failed())?;
        let ecto = ecto::inspect(&mut transaction, database).await?;
        transaction.commit().await.map_err(failed())?;
        let layer = migrate::inspect(connection, database, migrations).await?;
        Ok(Self { ecto, layer })
    }

    fn plan(&self, database: &str, migrations: &Migrations, files: &ecto::Files) -> Result<migrate::Plan, Error> {
        migrate::plan(migrations, files, &self.ecto, &self.layer)
            .map_err(|violation| Error::Violation { database: database.to_owned(), violation })
    }
}

fn ecto_steps(database: &str, files: &ecto::Files, state: &ecto::State) -> Vec<Step> {
    let status = |version| if state.applied().contains(&version) { Status::Unchanged } else { Status::Pending };
    let step = |version| Some(Step::new(database, "ecto", "migration", files.name(version)?, status(version)));
    files.versions().filter_map(step).collect()
}
