//! The performance layer for production: needs `DATABASE_URL` and nothing else, no Elixir, no Nix, no source tree.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Parser, Subcommand};
use db_service::console::Console;
use db_service::lock::DatabaseLock;
use db_service::migrate::{self, Layout};
use db_service::migration::Migrations;
use db_service::relayout::{Budget, Context, Progress};
use db_service::report::{Report, Server};
use db_service::step::{Status, Step};
use db_service::{DatabaseUrl, Error, Failure, connection, ecto};
use sqlx::{Connection as _, PgConnection};

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
    /// How long to wait for another runner
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 600)]
    lock_timeout: u64,
    /// Indexes to build at a time
    #[arg(long, global = true, value_name = "COUNT", default_value_t = Budget::MODEST.jobs)]
    index_jobs: usize,
    /// Memory for all index builds together; an HNSW graph that does not fit its share is built many times slower
    #[arg(long, global = true, value_name = "MEGABYTES", default_value_t = Budget::MODEST.megabytes)]
    index_memory: u32,
}

impl Common {
    fn budget(&self) -> Budget {
        Budget { jobs: self.index_jobs, megabytes: self.index_memory }
    }
}

#[derive(Clone, Debug, Subcommand)]
enum Command {
    /// Show what a run would do; exit code 3 if there is something
    Plan,
    /// Show the ledgers, and the layout that is wanted and is there
    Status,
    /// Make plain tables of partitioned ones again, while they are in use; no row is lost
    Revert(RevertOptions),
}

#[derive(Clone, Debug, clap::Args)]
struct RevertOptions {
    /// Table to revert; may be given several times; default: all
    #[arg(long = "table", value_name = "TABLE")]
    tables: Vec<String>,
    /// Show what would be done and change nothing; exit code 3 if there is something
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
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
    let command = match &options.command {
        None => "migrations",
        Some(Command::Plan) => "migrations plan",
        Some(Command::Status) => "migrations status",
        Some(Command::Revert(_)) => "migrations revert",
    };
    let report = Report::new(command, run.server, run.steps, Vec::new(), &errors, started.elapsed());
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

        let facts = Facts::read(&mut connection, database, &migrations).await?;
        if matches!(options.command, Some(Command::Status)) {
            // Shown even if a rule is broken, which the plan then says.
            self.report_all([ecto_steps(database, &files, &facts.ecto)]);
        }
        let plan = facts.plan(database, &migrations, &files)?;
        match &options.command {
            Some(Command::Status) => self.report_all([plan.unchanged(database), plan.pending(database)]),
            Some(Command::Plan) => self.report_all([plan.pending(database)]),
            Some(Command::Revert(revert)) => {
                let steps = revert_steps(database, plan.layouts(), &revert.tables)?;
                if revert.dry_run || steps.is_empty() {
                    self.report_all([steps]);
                } else {
                    consent(&steps, revert.yes)?;
                    let work = Work::Revert(&revert.tables);
                    self.change(&mut connection, &url, options, &migrations, &files, work).await?;
                }
            }
            None if plan.is_empty() => self.report_all([plan.unchanged(database)]),
            None => self.change(&mut connection, &url, options, &migrations, &files, Work::BringUpToDate).await?,
        }
        connection::close(connection).await;
        Ok(())
    }

    /// Takes the lock, then does the work, as far as it is still to be done: another runner may have been before us.
    async fn change(
        &mut self,
        connection: &mut PgConnection,
        url: &DatabaseUrl,
        options: &Options,
        migrations: &Migrations,
        files: &ecto::Files,
        work: Work<'_>,
    ) -> Result<(), Problem> {
        let database = url.database().ok_or(Problem::NoDatabase)?;
        let patience = Duration::from_secs(options.common.lock_timeout);
        let lock = DatabaseLock::acquire(url, patience, |text| self.console.busy(text)).await?;
        let plan = Facts::read(connection, database, migrations).await?.plan(database, migrations, files)?;
        connection::prepare_for_changes(connection).await.map_err(Error::sql("prepare for changes", database))?;
        let (console, steps) = (self.console, &mut self.steps);
        let busy = |text: &str| console.busy(text);
        let progress = Progress::new(&busy);
        let context = Context { url, budget: options.common.budget(), progress: &progress };
        let report = |step: Step| {
            console.step(&step);
            steps.push(step);
        };
        match work {
            Work::BringUpToDate => migrate::apply(&plan, migrations, connection, context, report).await?,
            Work::Revert(tables) => {
                migrate::declare_plain(connection, tables, database).await?;
                migrate::converge(connection, context, report).await?;
            }
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

/// What is done under the lock.
#[derive(Clone, Copy)]
enum Work<'a> {
    BringUpToDate,
    /// The named tables; without names, all.
    Revert(&'a [String]),
}

/// What a revert would do.
fn revert_steps(database: &str, layouts: &[Layout], tables: &[String]) -> Result<Vec<Step>, Problem> {
    if let Some(unknown) = tables.iter().find(|name| !layouts.iter().any(|layout| layout.table == **name)) {
        let known = layouts.iter().map(|layout| format!("`{}`", layout.table)).collect::<Vec<_>>().join(", ");
        return Err(Problem::UnknownTable { name: unknown.clone(), known });
    }
    let chosen = layouts.iter().filter(|layout| tables.is_empty() || tables.contains(&layout.table));
    let partitioned = chosen.filter(|layout| layout.actual_leaves > 0 || layout.phase.is_some());
    Ok(partitioned
        .map(|layout| Step::new(database, "sqlx", "layout", &layout.table, Status::Pending).detail("one plain table"))
        .collect())
}

/// Asks on a terminal; elsewhere only `--yes` will do.
fn consent(steps: &[Step], yes: bool) -> Result<(), Problem> {
    use std::io::{IsTerminal as _, Write as _};
    if yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        return Err(Problem::NoConsent);
    }
    let names = steps.iter().map(|step| step.name.as_str()).collect::<Vec<_>>().join(", ");
    let mut terminal = std::io::stderr();
    write!(terminal, "Copy all rows of {names} into plain tables? [y/N] ").map_err(Problem::Terminal)?;
    terminal.flush().map_err(Problem::Terminal)?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(Problem::Terminal)?;
    if matches!(answer.trim(), "y" | "Y" | "yes") { Ok(()) } else { Err(Problem::NoConsent) }
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

#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error("no database is named")]
    NoUrl,
    #[error("the database URL names no database")]
    NoDatabase,
    #[error("the performance layer lays out no table `{name}`")]
    UnknownTable { name: String, known: String },
    #[error("copying whole tables was not agreed to")]
    NoConsent,
    #[error("cannot ask on this terminal")]
    Terminal(#[source] std::io::Error),
    #[error("interrupted")]
    Interrupted,
    #[error(transparent)]
    Database(#[from] Error),
}

impl Failure for Problem {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NoUrl => {
                Some("set DATABASE_URL, or pass `--database-url postgres://user:password@host:5432/database`".into())
            }
            Self::NoDatabase => Some("end the URL in `/<database>`".into()),
            Self::UnknownTable { known, .. } => Some(format!("it lays out {known}")),
            Self::NoConsent => Some("nothing was changed; pass `--yes` to agree beforehand".into()),
            Self::Terminal(_) => Some("pass `--yes`".into()),
            Self::Interrupted => Some("nothing is lost; the next run finishes the work".into()),
            Self::Database(error) => error.hint(),
        }
    }

    fn exit(&self) -> db_service::Exit {
        match self {
            Self::NoUrl | Self::NoDatabase | Self::UnknownTable { .. } | Self::NoConsent => db_service::Exit::Usage,
            Self::Interrupted | Self::Terminal(_) => db_service::Exit::Failed,
            Self::Database(error) => error.exit(),
        }
    }
}
