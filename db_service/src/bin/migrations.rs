//! The performance layer for production: needs `DATABASE_URL` and nothing else, no Elixir, no Nix, no source tree.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Parser, Subcommand};
use db_service::console::Console;
use db_service::lock::DatabaseLock;
use db_service::migration::Migrations;
use db_service::report::{Report, Server};
use db_service::step::{Status, Step};
use db_service::{DatabaseUrl, Error, Failure, connection, ecto, migrate};
use sqlx::{Connection as _, PgConnection};

/// Brings the performance layer of Singularity's database up to date
///
/// Without a command: checks that Ecto's migrations are all applied, then applies the layer's own. Runs again at no cost
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
}

#[derive(Clone, Copy, Debug, Subcommand)]
enum Command {
    /// Show what a run would do; exit code 3 if there is something
    Plan,
    /// Show the ledgers, and the layout that is wanted and is there
    Status,
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
    let command = match options.command {
        None => "migrations",
        Some(Command::Plan) => "migrations plan",
        Some(Command::Status) => "migrations status",
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
        match options.command {
            Some(Command::Status) => {
                self.report_all([plan.unchanged(database), plan.pending(database), plan.left_out(database)]);
            }
            Some(Command::Plan) => self.report_all([plan.pending(database), plan.left_out(database)]),
            None if plan.is_empty() => self.report_all([plan.unchanged(database), plan.left_out(database)]),
            None => {
                let patience = Duration::from_secs(options.common.lock_timeout);
                let lock = DatabaseLock::acquire(&url, patience, |text| self.console.busy(text)).await?;
                // Another runner may have done the work while we waited for it.
                let facts = Facts::read(&mut connection, database, &migrations).await?;
                let plan = facts.plan(database, &migrations, &files)?;
                connection::prepare_for_changes(&mut connection)
                    .await
                    .map_err(Error::sql("prepare for changes", database))?;
                let mut steps = Vec::new();
                let outcome = migrate::apply(&plan, &migrations, &mut connection, database, |step| {
                    self.console.step(&step);
                    steps.push(step);
                })
                .await;
                self.steps.extend(steps);
                outcome?;
                lock.release().await;
            }
        }
        connection::close(connection).await;
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

#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error("no database is named")]
    NoUrl,
    #[error("the database URL names no database")]
    NoDatabase,
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
            Self::Interrupted => Some("nothing is lost; the next run finishes the work".into()),
            Self::Database(error) => error.hint(),
        }
    }

    fn exit(&self) -> db_service::Exit {
        match self {
            Self::NoUrl | Self::NoDatabase => db_service::Exit::Usage,
            Self::Interrupted => db_service::Exit::Failed,
            Self::Database(error) => error.exit(),
        }
    }
}
