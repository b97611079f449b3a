//! `db-setup`: the three layers, in order, on every database.

use std::time::{Duration, Instant};

use db_service::console::Console;
use db_service::ecto::Files;
use db_service::migration::Migrations;
use db_service::report::{Outcome, Report};
use db_service::step::{Status, Step};
use db_service::{DatabaseUrl, Error as DatabaseError, Exit, Failure, ecto, migrate};
use futures_util::future::join_all;

use crate::cli::{Layer, SetupOptions};
use crate::error::Error;
use crate::layers::bootstrap::{self, Bootstrap};
use crate::layers::ecto::Ecto;
use crate::layers::mix::Mix;
use crate::layers::sqlx::Sqlx;
use crate::layers::{self, Session};
use crate::project::Project;
use crate::server::{self, Server};
use crate::target::{self, Target};

pub(crate) fn run(options: &SetupOptions, project: &Project, console: &Console) -> Exit {
    let started = Instant::now();
    let mut work = Work::default();
    let outcome = set_up(options, project, console, &mut work);
    work.errors.extend(outcome.err());
    work.notes.sort();
    work.notes.dedup();
    work.notes.iter().for_each(|note| console.note(note));
    let errors: Vec<&dyn Failure> = work.errors.iter().map(|error| error as &dyn Failure).collect();
    let server = work.server.as_ref().map(Server::report);
    let report = Report::new("db-setup", server, work.steps, work.notes, &errors, started.elapsed());
    console.done();
    for error in errors {
        console.error(error);
    }
    if options.json {
        console.json(&report);
    } else if report.outcome() != Outcome::Failed {
        console.result(&report.summary());
    }
    report.exit()
}

/// The whole pipeline: a server, its databases, the layers of each.
fn set_up(options: &SetupOptions, project: &Project, console: &Console, work: &mut Work) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Runtime)?;
    work.server = if options.dry_run {
        server::find(&options.server, project, console)?
    } else {
        Some(server::obtain(&options.server, project, console)?)
    };
    let is_ours = work.server.as_ref().is_none_or(Server::is_ours);
    let layers = runtime.block_on(Layers::read(options, project, is_ours))?;
    let Some(server) = &work.server else {
        work.steps = layers.forecast(options)?;
        work.steps.iter().for_each(|step| console.step(step));
        return Ok(());
    };
    if let Some(step) = &server.started {
        console.step(step);
        work.steps.push(step.clone());
    }
    let targets = target::choose(&server.url, options.environment);
    // Side by side: nothing in one database waits for another.
    let patience = Duration::from_secs(options.lock_timeout);
    let mut sessions: Vec<_> = targets.iter().map(|target| Session::new(target, console, patience)).collect();
    let outcomes = runtime.block_on(async {
        let all = join_all(sessions.iter_mut().map(|session| bring_about(&layers, session, options.dry_run)));
        tokio::select! {
            outcomes = all => outcomes,
            _ = tokio::signal::ctrl_c() => vec![Err(Error::Interrupted)],
        }
    });
    for session in sessions {
        work.steps.extend(session.steps);
        work.notes.extend(session.notes);
    }
    work.errors.extend(outcomes.into_iter().filter_map(Result::err));
    Ok(())
}

/// One database.
async fn bring_about(layers: &Layers, session: &mut Session<'_>, dry_run: bool) -> Result<(), Error> {
    let outcome = in_order(layers, session, dry_run).await;
    session.end().await;
    outcome
}

/// A layer starts when the one before it has ended well.
async fn in_order(layers: &Layers, session: &mut Session<'_>, dry_run: bool) -> Result<(), Error> {
    if let Some(layer) = layers.bootstrap.as_ref().filter(|_| session.target.has(Layer::Bootstrap)) {
        layers::run(layer, session, dry_run).await?;
    }
    if let Some(layer) = layers.ecto.as_ref().filter(|_| session.target.has(Layer::Ecto)) {
        layers::run(layer, session, dry_run).await?;
    }
    if let Some(layer) = layers.sqlx.as_ref().filter(|_| session.target.has(Layer::Sqlx)) {
        layers::run(layer, session, dry_run).await?;
    }
    Ok(())
}

/// What became of a run; kept outside of it, so that an error does not take along what was done before.
#[derive(Default)]
struct Work {
    server: Option<Server>,
    steps: Vec<Step>,
    notes: Vec<String>,
    errors: Vec<Error>,
}

/// The layers that the options ask for, with the files they work from.
struct Layers {
    bootstrap: Option<Bootstrap>,
    ecto: Option<Ecto>,
    sqlx: Option<Sqlx>,
}

impl Layers {
    async fn read(options: &SetupOptions, project: &Project, own_server: bool) -> Result<Self, Error> {
        let files = Files::read(&project.ecto_migrations()).map_err(DatabaseError::from)?;
        let migrations = Migrations::read(&project.sqlx_migrations()).await.map_err(DatabaseError::from)?;
        let wanted = |layer| options.layers.contains(&layer);
        let wishes = bootstrap::wishes(&options.require, migrations.extensions())?;
        let ecto = Ecto {
            files: files.clone(),
            mode: options.ecto,
            command: options.ecto_command.clone(),
            mix: Mix::new(project.ecto_app()),
            structure: project.structure(),
        };
        let assume_ecto = options.dry_run && wanted(Layer::Ecto);
        let sqlx = Sqlx { files, migrations, assume_ecto, agreed: options.yes };
        Ok(Self {
            bootstrap: wanted(Layer::Bootstrap).then_some(Bootstrap { wishes, own_server }),
            ecto: wanted(Layer::Ecto).then_some(ecto),
            sqlx: wanted(Layer::Sqlx).then_some(sqlx),
        })
    }

    /// What a run would do that first has to start a server: everything, as far as it can be told without one.
    fn forecast(&self, options: &SetupOptions) -> Result<Vec<Step>, Error> {
        // Only the names of the databases are taken from it.
        let nowhere = DatabaseUrl::parse("postgres://localhost").map_err(DatabaseError::from)?;
        let kind = format!("{:?}", options.server.server).to_lowercase();
        let mut steps = vec![Step::of_server("server", "server", kind, Status::Pending)];
        for target in target::choose(&nowhere, options.environment) {
            steps.extend(self.forecast_database(&target)?);
        }
        Ok(steps)
    }

    fn forecast_database(&self, target: &Target) -> Result<Vec<Step>, Error> {
        use layers::{Layer as _, Plan as _};
        let mut steps = Vec::new();
        if let Some(layer) = &self.bootstrap {
            steps.extend(layer.forecast(target));
        }
        if let Some(layer) = self.ecto.as_ref().filter(|_| target.has(Layer::Ecto)) {
            steps.extend(layer.plan(&ecto::State::empty(), target)?.steps(target));
        }
        if let Some(layer) = self.sqlx.as_ref().filter(|_| target.has(Layer::Sqlx)) {
            let violated = |violation| DatabaseError::Violation { database: target.name.clone(), violation };
            let plan =
                migrate::forecast(&layer.migrations, &layer.files, &migrate::State::empty()).map_err(violated)?;
            steps.extend(plan.pending(&target.name));
        }
        Ok(steps)
    }
}
