//! One run, from the URL to the end.

use std::time::Duration;

use database::given::Given;
use database::server::Server;
use database::url::Parsed;
use database::{DatabaseLock, DatabaseUrl, Worker, connection, transaction};
use db_service::layer::{self, LayerState, PerformancePlan};
use db_service::subject::{Terms, layouts};
use db_service::{Error, ecto_files};
use ledger::ecto::Files;
use ledger::migration::{LAYER, Migrations};
use relayout::layout::Layout;
use relayout::{Engine, Progress, adaptive, audit};
use sqlx::PgConnection;
use terminal::Finding;
use terminal::console::Console;
use terminal::report::ServerReport;
use terminal::step::{Status, Step};

use crate::cli::{Command, Options};
use crate::layout::{self, Declaration, Declare};
use crate::problem::Problem;
use crate::statements::Statements;

/// What became of it; kept outside of the work, so that an error does not take along what was done before.
pub(crate) struct Run<'a> {
    console: &'a Console,
    pub(crate) steps: Vec<Step>,
    pub(crate) notes: Vec<String>,
    pub(crate) warnings: Vec<Finding>,
    pub(crate) statements: Statements,
    pub(crate) server: Option<ServerReport>,
}

/// What the program carries inside.
struct Embedded {
    migrations: Migrations,
    ecto: Files,
}

impl<'a> Run<'a> {
    pub(crate) fn new(console: &'a Console) -> Self {
        let statements = Statements::default();
        Self { console, steps: Vec::new(), notes: Vec::new(), warnings: Vec::new(), statements, server: None }
    }

    pub(crate) async fn execute(&mut self, options: &Options) -> Result<(), Problem> {
        let given = Given::typed(options.common.database_url.as_deref()).or_else(Given::in_variable);
        let parsed = given.ok_or(Problem::NoUrl)?.read()?;
        self.console.keep_secret(parsed.secrets());
        self.notes = parsed.server().notes().to_vec();
        self.notes.iter().for_each(|note| self.console.note(note));
        let Parsed::Database(url) = parsed else { return Err(Problem::NoDatabase) };
        self.server = Some(ServerReport { kind: "url".into(), url: url.to_string(), postgresql: None });
        let embedded = Embedded::read()?;
        let mut connection = connection::connect(&url).await?;
        let server = Server::read(&mut connection, &url).await?;
        self.server = self.server.take().map(|it| ServerReport { postgresql: Some(server.version.clone()), ..it });
        server.is_supported()?;
        if options.command.as_ref().is_some_and(Command::writes) {
            server.takes_writes(url.database())?;
        }
        self.serve(options, &url, &embedded, &mut connection).await?;
        connection::close(connection).await;
        Ok(())
    }

    async fn serve(
        &mut self,
        options: &Options,
        url: &DatabaseUrl,
        embedded: &Embedded,
        connection: &mut PgConnection,
    ) -> Result<(), Problem> {
        let database = url.database();
        if let Some(Command::CreateIndex(create)) = &options.command {
            // Before the gate, which an index that was cut off would not pass.
            let steps = create.run(connection, url, options.common.lock_timeout(), self.console).await?;
            self.report(steps);
            return Ok(());
        }
        let state = layer::inspect(connection, database, &embedded.migrations).await?;
        if matches!(options.command, Some(Command::Status)) {
            // Shown even if a rule is broken, which the plan then says.
            self.report(ecto_steps(database, &embedded.ecto, &state));
        }
        let needs_layer = options.command.as_ref().is_some_and(Command::needs_layer);
        if needs_layer && !layouts::is_declared(&state.ledger) {
            return Err(Problem::NoLayer { database: database.to_owned() });
        }
        let layouts = match &options.command {
            // The plan says all that it has to know.
            None => Vec::new(),
            Some(_) => declared(connection, &state, database).await?,
        };
        match &options.command {
            // Neither rests on complete ledgers: an Ecto migration that is pending may be what asks for a plain table.
            Some(Command::Verify) => {
                self.warn(layouts::warnings(connection, &layouts, database).await?);
                self.report(verified(connection, &layouts, database).await?);
            }
            Some(Command::Layout(asked)) if asked.table.is_none() => self.report(Declare::show(&layouts, database)),
            Some(Command::Revert(_) | Command::Layout(_)) => {
                self.declare(options, url, embedded, connection, &layouts).await?;
            }
            Some(Command::Plan | Command::Status) => {
                let plan = embedded.plan(&state, database)?;
                if matches!(options.command, Some(Command::Status)) {
                    self.report(plan.unchanged(database));
                }
                self.report(plan.pending(database));
                self.warn(layouts::warnings(connection, &layouts, database).await?);
                if matches!(options.command, Some(Command::Plan)) {
                    self.note(plan.notes());
                    let begun = layouts.iter().filter(|layout| !plan.refuses(&layout.table));
                    self.statements = Statements::read(connection, begun, options.common.budget(), database).await?;
                }
                plan.refused(database)?;
            }
            None => {
                let plan = embedded.plan(&state, database)?;
                if plan.is_empty() {
                    self.report(plan.unchanged(database));
                } else {
                    self.change(url, options, embedded, Vec::new()).await?;
                }
            }
            Some(_) => {
                embedded.plan(&state, database)?;
                self.declare(options, url, embedded, connection, &layouts).await?;
            }
        }
        Ok(())
    }

    /// What a command asks for is declared and brought about.
    async fn declare(
        &mut self,
        options: &Options,
        url: &DatabaseUrl,
        embedded: &Embedded,
        connection: &mut PgConnection,
        layouts: &[Layout],
    ) -> Result<(), Problem> {
        if let Some(declarations) = self.declarations(options, connection, layouts, url.database()).await? {
            self.change(url, options, embedded, declarations).await?;
        }
        Ok(())
    }

    /// The layouts that a command asks for, agreed to; none where there is nothing to do or only to be told.
    async fn declarations(
        &mut self,
        options: &Options,
        connection: &mut PgConnection,
        layouts: &[Layout],
        database: &str,
    ) -> Result<Option<Vec<Declaration>>, Problem> {
        let (choice, declarations) = match &options.command {
            Some(Command::Revert(revert)) => (&revert.choice, revert.declare(layouts)?),
            Some(Command::Layout(asked)) => (&asked.choice, asked.declare(layouts)?),
            Some(Command::Merge(merge)) => (&merge.choice, merge.declare(layouts)?),
            Some(Command::Split(split)) => {
                let (declarations, left_out) = split.declare(connection, layouts, database).await?;
                self.report(left_out);
                (&split.choice, declarations)
            }
            _ => return Ok(Some(Vec::new())),
        };
        let steps: Vec<Step> = declarations.iter().map(|declaration| declaration.pending(database)).collect();
        let mut wanted = Vec::new();
        for Declaration { layout, desired, .. } in &declarations {
            wanted
                .push(adaptive::wanted(connection, layout, desired, options.common.free_disk_bytes(), database).await?);
        }
        if choice.dry_run || steps.is_empty() {
            self.report(steps);
            if matches!(options.command, Some(Command::Layout(_))) {
                self.statements =
                    Statements::read(connection, wanted.iter(), options.common.budget(), database).await?;
            }
            return Ok(None);
        }
        // Where nothing moves there is nothing to agree to.
        if wanted.iter().any(|wanted| !wanted.is_reached()) {
            layout::consent(&steps, options.common.yes, self.console)?;
        }
        Ok(Some(declarations))
    }

    /// Takes the lock, then does the work, as far as it is still to be done: another runner may have been before us.
    async fn change(
        &mut self,
        url: &DatabaseUrl,
        options: &Options,
        embedded: &Embedded,
        declarations: Vec<Declaration>,
    ) -> Result<(), Problem> {
        let (database, common) = (url.database(), &options.common);
        let lock = DatabaseLock::acquire(url, common.lock_timeout(), |text| self.console.busy(text)).await?;
        let mut worker = Worker::connect(&lock).await?;
        let (console, steps, notes) = (self.console, &mut self.steps, &mut self.notes);
        let busy = |text: &str| console.busy(text);
        let progress = Progress::new(&busy);
        let free_disk = common.free_disk_bytes();
        let (budget, patience) = (common.budget(), Duration::from_secs(common.patience));
        let engine = Engine { lock: &lock, budget, free_disk, patience, progress: &progress };
        // Who has declared a layout by hand has agreed to it.
        let most_bytes = if common.yes || !declarations.is_empty() { u64::MAX } else { Terms::SMALL };
        let tables: Vec<String> = declarations.iter().map(|declaration| declaration.layout.table.clone()).collect();
        let terms = Terms { engine, most_bytes, only: (!tables.is_empty()).then_some(&tables) };
        let report = |step: Step| {
            console.step(&step);
            steps.push(step);
        };
        if declarations.is_empty() {
            let state = layer::inspect(&mut worker, database, &embedded.migrations).await?;
            let plan = embedded.plan(&state, database)?;
            for note in plan.notes() {
                console.note(&note);
                notes.push(note);
            }
            layer::apply(&plan, &embedded.migrations, &mut worker, &terms, report).await?;
        } else {
            for Declaration { layout, desired, .. } in &declarations {
                adaptive::declare(&mut worker, layout, desired, free_disk, database).await?;
            }
            layer::converge(&embedded.migrations, &mut worker, &terms, report).await?;
        }
        worker.close().await;
        lock.release().await;
        Ok(())
    }

    fn note(&mut self, notes: Vec<String>) {
        for note in notes {
            self.console.note(&note);
            self.notes.push(note);
        }
    }

    fn warn(&mut self, warnings: Vec<Finding>) {
        for warning in warnings {
            self.console.finding(&warning);
            self.warnings.push(warning);
        }
    }

    fn report(&mut self, steps: Vec<Step>) {
        for step in steps {
            self.console.step(&step);
            self.steps.push(step);
        }
    }
}

impl Embedded {
    fn read() -> Result<Self, Problem> {
        let migrations = Migrations::embedded(sqlx::migrate!("../migrations")).map_err(ledger::Error::from)?;
        Ok(Self { migrations, ecto: ecto_files::embedded().map_err(ledger::Error::from)? })
    }

    fn plan(&self, state: &LayerState, database: &str) -> Result<PerformancePlan, Error> {
        Ok(layer::plan(&self.migrations, &self.ecto, state).map_err(ledger::Error::broken(database))?)
    }
}

async fn declared(connection: &mut PgConnection, state: &LayerState, database: &str) -> Result<Vec<Layout>, Error> {
    let failed = |error| Error::from(database::Error::sql("read the layouts", database)(error));
    transaction::run_with(connection, transaction::READ_ONLY, failed, async |connection| {
        layouts::read(connection, &state.ledger, database).await.map(transaction::End::Commit)
    })
    .await
}

async fn verified(connection: &mut PgConnection, layouts: &[Layout], database: &str) -> Result<Vec<Step>, Problem> {
    let sound = audit::audit(connection, layouts, database).await?;
    let step = |it: audit::Sound| Step::new(database, LAYER, it.object, it.name, Status::Unchanged).detail(it.detail);
    Ok(sound.into_iter().map(step).collect())
}

fn ecto_steps(database: &str, files: &Files, state: &LayerState) -> Vec<Step> {
    let is_applied = |version| state.ecto.applied().contains(&version);
    let status = |version| if is_applied(version) { Status::Unchanged } else { Status::Pending };
    let step = |version| Some(Step::new(database, "ecto", "migration", files.name(version)?, status(version)));
    files.versions().filter_map(step).collect()
}
