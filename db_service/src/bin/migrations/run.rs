//! One run, from the URL to the end.
//!
//! Long because every command passes here, and its order is to be seen at one place.

use std::time::Duration;

use database::given::Given;
use database::server::Server;
use database::url::Parsed;
use database::{DatabaseLock, DatabaseUrl, Worker, connection};
use db_service::layer::{self, PerformancePlan};
use db_service::subject::{Terms, layouts};
use db_service::{maintenance, status};
use ledger::history::{self, History};
use ledger::migration::LAYER;
use relayout::layout::Layout;
use relayout::{Engine, adaptive};
use sqlx::PgConnection;
use terminal::Finding;
use terminal::console::Console;
use terminal::report::ServerReport;
use terminal::step::{Status, Step};

use crate::answers;
use crate::cli::{Command, Options, Plan};
use crate::consent;
use crate::create_index::Indexed;
use crate::declare::Declare;
use crate::embedded::Embedded;
use crate::filters::{self, Filters, Wish};
use crate::layout::{self, Declaration};
use crate::look;
use crate::maintain::Maintain;
use crate::problem::Problem;
use crate::script;
use crate::statements::Statements;

/// What is to be changed.
enum Asked {
    /// Whatever is pending.
    Everything,
    Layouts(Vec<Declaration>),
    Filter(Wish),
    /// What comes due by itself.
    Upkeep,
}

impl Asked {
    /// The tables that are to be worked on; none: all.
    fn tables(&self) -> Option<Vec<String>> {
        match self {
            Self::Everything | Self::Upkeep => None,
            Self::Layouts(declarations) => Some(declarations.iter().map(|it| it.layout.table.clone()).collect()),
            Self::Filter(_) => Some(vec!["code_files".to_owned()]),
        }
    }
}

/// What became of it; kept outside of the work, so that an error does not take along what was done before.
pub(crate) struct Run<'a> {
    console: &'a Console,
    pub(crate) steps: Vec<Step>,
    pub(crate) notes: Vec<String>,
    pub(crate) warnings: Vec<Finding>,
    pub(crate) statements: Statements,
    /// What goes to stdout, and then alone.
    pub(crate) sql: Option<String>,
    /// What was asked for, for stdout.
    pub(crate) found: Option<String>,
    pub(crate) server: Option<ServerReport>,
}

impl<'a> Run<'a> {
    pub(crate) fn new(console: &'a Console) -> Self {
        let statements = Statements::default();
        let (steps, notes, warnings) = (Vec::new(), Vec::new(), Vec::new());
        Self { console, steps, notes, warnings, statements, sql: None, found: None, server: None }
    }

    pub(crate) async fn execute(&mut self, options: &Options) -> Result<(), Problem> {
        let given = Given::typed(options.target.database_url.as_deref()).or_else(Given::in_variable);
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
            let patience = options.work().lock_timeout();
            let Indexed { steps, sql } = create.run(connection, url, patience, self.console).await?;
            match sql {
                // They are its statements.
                Some(_) => self.steps = steps,
                None => self.report(steps),
            }
            self.sql = sql;
            return Ok(());
        }
        // They ask for the tables and functions that they take, and for nothing else of the layer.
        let found = match &options.command {
            Some(Command::Search(search)) => Some(search.run(connection, database).await?),
            Some(Command::Stats(stats)) => Some(stats.run(connection, database).await?),
            Some(Command::Answers) => Some(answers::run(connection, database).await?),
            Some(Command::Analyze(analyze)) => Some(analyze.run(url, self.console).await?),
            Some(Command::Advise(advise)) => Some(advise.run(connection, database).await?),
            Some(Command::Calibrate(calibrate)) => {
                self.report(calibrate.run(connection, database, self.console).await?);
                return Ok(());
            }
            Some(Command::Maintain(maintain)) => {
                // What fails of the one does not hold up the other.
                let maintained = self.maintain(*maintain, connection, database).await;
                return maintained.and(self.upkeep(*maintain, options, url, embedded, connection).await);
            }
            _ => None,
        };
        if let Some(found) = found {
            self.steps = found.steps;
            self.found = Some(found.text);
            return Ok(());
        }
        let state = layer::inspect(connection, database, &embedded.migrations).await?;
        let history = if matches!(options.command, Some(Command::Status)) {
            // Shown even if a rule is broken, which the plan then says.
            let history = history::read(connection, &state.ecto, &state.ledger, database).await?;
            self.report(status::at_ecto(&embedded.ecto, state.ecto.applied(), &history, database));
            history
        } else {
            History::default()
        };
        let needs_layer = options.command.as_ref().is_some_and(Command::needs_layer);
        if needs_layer && !layouts::is_declared(&state.ledger) {
            return Err(Problem::NoLayer { database: database.to_owned() });
        }
        let layouts = match &options.command {
            // The plan says all that it has to know.
            None => Vec::new(),
            Some(_) => status::at_layouts(connection, &state.ledger, database).await?,
        };
        match &options.command {
            // Neither rests on complete ledgers: an Ecto migration that is pending may be what asks for a plain table.
            Some(Command::Verify) => {
                self.warn(layouts::warnings(connection, &layouts, database).await?);
                self.report(look::verified(connection, &layouts, &state.ledger, database).await?);
            }
            Some(Command::Layout(asked)) if asked.table.is_none() => self.report(Declare::show(&layouts, database)),
            Some(Command::Layout(asked)) if asked.by_week.is_some() && !layouts::has_weeks(&state.ledger) => {
                return Err(Problem::NoWeeks { database: database.to_owned() });
            }
            Some(Command::Revert(_) | Command::Layout(_)) => {
                self.declare(options, url, embedded, connection, &layouts).await?;
            }
            Some(Command::Status) => {
                let plan = embedded.plan(&state, database)?;
                let steps = [plan.unchanged(database), plan.pending(database)].concat();
                self.report(status::at_layer(steps, connection, &layouts, &state.ledger, &history, database).await?);
                self.explain(!layouts.is_empty());
                self.warn(layouts::warnings(connection, &layouts, database).await?);
                plan.refused(database)?;
            }
            Some(Command::Filters(asked)) => {
                if let Some(wish) = asked.wish() {
                    embedded.plan(&state, database)?;
                    self.change(url, options, embedded, Asked::Filter(wish)).await?;
                } else {
                    let found = Filters::show(connection, &state.ledger, database).await?;
                    (self.steps, self.found) = (found.steps, Some(found.text));
                }
            }
            Some(Command::Plan(asked)) => {
                let plan = embedded.plan(&state, database)?;
                self.plan(asked, options, (&plan, embedded), connection, &layouts, database).await?;
            }
            None => {
                let plan = embedded.plan(&state, database)?;
                if plan.is_empty() {
                    self.report(plan.unchanged(database));
                } else {
                    self.change(url, options, embedded, Asked::Everything).await?;
                }
            }
            Some(_) => {
                embedded.plan(&state, database)?;
                self.declare(options, url, embedded, connection, &layouts).await?;
            }
        }
        Ok(())
    }

    async fn maintain(
        &mut self,
        asked: Maintain,
        connection: &mut PgConnection,
        database: &str,
    ) -> Result<(), Problem> {
        let (console, steps) = (self.console, &mut self.steps);
        let report = |step: Step| {
            console.step(&step);
            steps.push(step);
        };
        Ok(maintenance::maintain(connection, &asked.terms(), database, console, report).await?)
    }

    /// Of what converges, what comes due by itself. Whoever is at it already does that as well.
    async fn upkeep(
        &mut self,
        asked: Maintain,
        options: &Options,
        url: &DatabaseUrl,
        embedded: &Embedded,
        connection: &mut PgConnection,
    ) -> Result<(), Problem> {
        let database = url.database();
        let due = layer::upkeep(connection, database, &embedded.migrations).await?;
        for plan in &due {
            self.report(plan.unchanged(database));
            let left_out = |(table, findings): (String, Vec<Finding>)| {
                let why: Vec<String> = findings.into_iter().map(|finding| finding.message).collect();
                Step::new(database, LAYER, "layout", table, Status::LeftOut)
                    .detail(format!("it is due, and {}", why.join("; ")))
                    .remedy("`migrations plan` says what to do about it")
            };
            self.report(plan.refused().into_iter().map(left_out).collect());
        }
        let pending: Vec<Step> = due.iter().flat_map(|plan| plan.pending(database)).collect();
        if asked.dry_run {
            self.report(pending);
        } else if !pending.is_empty() {
            match self.change(url, options, embedded, Asked::Upkeep).await {
                Err(Problem::Layer(db_service::Error::Database(database::Error::LockHeld { .. }))) => {
                    let step = Step::new(database, LAYER, "maintenance", "layouts", Status::LeftOut);
                    self.report(vec![step.detail("another run is at it").remedy("the next run looks again")]);
                }
                outcome => outcome?,
            }
        }
        Ok(())
    }

    /// What a run would do, or would refuse to do.
    async fn plan(
        &mut self,
        asked: &Plan,
        options: &Options,
        (plan, embedded): (&PerformancePlan, &Embedded),
        connection: &mut PgConnection,
        layouts: &[Layout],
        database: &str,
    ) -> Result<(), Problem> {
        let pending = plan.pending(database);
        self.explain(pending.iter().any(|step| step.object == "layout"));
        self.report(pending);
        self.warn(layouts::warnings(connection, layouts, database).await?);
        self.note(plan.notes());
        let begun = layouts.iter().filter(|layout| !plan.refuses(&layout.table));
        self.statements = Statements::read(connection, begun, options.work().budget(), database).await?;
        if asked.sql {
            self.sql = Some(script::script(plan, &embedded.migrations, &self.statements));
        }
        Ok(plan.refused(database)?)
    }

    /// For whoever reads the words for the first time; a program does not.
    fn explain(&self, are_used: bool) {
        if are_used {
            self.console.note(layout::EXPLAINED);
        }
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
            let is_revert = matches!(options.command, Some(Command::Revert(_)));
            let ways_back = declarations.iter().filter(|_| is_revert).filter_map(Declaration::way_back).collect();
            self.change(url, options, embedded, Asked::Layouts(declarations)).await?;
            self.note(ways_back);
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
            Some(Command::Layout(asked)) => (&asked.choice, asked.declare(connection, layouts, database).await?),
            Some(Command::Merge(merge)) => (&merge.choice, merge.declare(layouts)?),
            Some(Command::Split(split)) => {
                let (declarations, left_out) = split.declare(connection, layouts, database).await?;
                if split.choice.dry_run {
                    self.report(split.show(connection, layouts, database).await?);
                }
                self.report(left_out);
                (&split.choice, declarations)
            }
            _ => return Ok(Some(Vec::new())),
        };
        let work = options.work();
        let mut wanted = Vec::new();
        for Declaration { layout, desired, .. } in &declarations {
            wanted.push(adaptive::wanted(connection, layout, desired, work.free_disk_bytes(), database).await?);
        }
        let steps = layout::pending(&declarations, &wanted, database);
        if choice.dry_run || steps.is_empty() {
            self.report(steps);
            if matches!(options.command, Some(Command::Layout(_))) {
                self.statements = Statements::read(connection, wanted.iter(), work.budget(), database).await?;
            }
            return Ok(None);
        }
        // Where nothing moves there is nothing to agree to.
        if wanted.iter().any(|wanted| !wanted.is_reached()) {
            consent::consent(&steps, work.yes, self.console)?;
        }
        Ok(Some(declarations))
    }

    /// Takes the lock, then does the work, as far as it is still to be done: another runner may have been before us.
    async fn change(
        &mut self,
        url: &DatabaseUrl,
        options: &Options,
        embedded: &Embedded,
        asked: Asked,
    ) -> Result<(), Problem> {
        let (database, work) = (url.database(), options.work());
        let job = self.console.job(database);
        // What is due now is so later.
        let lock_timeout = if matches!(asked, Asked::Upkeep) { Duration::ZERO } else { work.lock_timeout() };
        let lock = DatabaseLock::acquire(url, lock_timeout, |text| job.announce(text)).await?;
        drop(job);
        let mut worker = Worker::connect(&lock).await?;
        let (console, steps, notes) = (self.console, &mut self.steps, &mut self.notes);
        let free_disk = work.free_disk_bytes();
        let (budget, patience) = (work.budget(), work.patience());
        let engine = Engine { lock: &lock, budget, free_disk, patience, watcher: console };
        // Who has declared a layout by hand has agreed to it.
        let is_declared = matches!(asked, Asked::Layouts(_));
        let most_bytes = if work.yes || is_declared { u64::MAX } else { Terms::SMALL };
        let tables = asked.tables();
        let terms = Terms { engine, most_bytes, only: tables.as_deref() };
        let report = |step: Step| {
            console.step(&step);
            steps.push(step);
        };
        match asked {
            Asked::Everything => {
                let state = layer::inspect(&mut worker, database, &embedded.migrations).await?;
                let plan = embedded.plan(&state, database)?;
                for note in plan.notes() {
                    console.note(&note);
                    notes.push(note);
                }
                layer::apply(&plan, &embedded.migrations, &mut worker, &terms, report).await?;
            }
            Asked::Layouts(declarations) => {
                for Declaration { layout, desired, .. } in &declarations {
                    adaptive::declare(&mut worker, layout, desired, free_disk, database).await?;
                }
                layer::converge(&embedded.migrations, &mut worker, &terms, report).await?;
            }
            Asked::Upkeep => {
                let mut report = report;
                for plan in layer::upkeep(&mut worker, database, &embedded.migrations).await? {
                    if plan.pending(database).is_empty() {
                        continue;
                    }
                    match plan.apply(&terms, &mut worker, &mut report).await {
                        // Of one table, which was told before; the others are done.
                        Err(db_service::Error::Relayout(relayout::Error::Refused { .. })) => {}
                        outcome => outcome?,
                    }
                }
            }
            Asked::Filter(wish) => {
                let state = layer::inspect(&mut worker, database, &embedded.migrations).await?;
                wish.declare(&mut worker, &state.ledger, database).await?;
                layer::converge(&embedded.migrations, &mut worker, &terms, report).await?;
                if !self.steps.iter().any(|step| step.object == "filter") {
                    let as_it_is = filters::as_it_is(&mut worker, &state.ledger, database).await?;
                    self.report(vec![as_it_is]);
                }
            }
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
