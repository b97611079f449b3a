//! `db-setup`: the three layers, in order, on every database.

use std::time::{Duration, Instant};

use database::ServerUrl;
use database::url::Parsed;
use futures_util::future::join_all;
use terminal::console::Console;
use terminal::report::{Outcome, Report};
use terminal::step::{Status, Step};
use terminal::{Exit, Failure};

use crate::cli::{Layer, SetupOptions};
use crate::closing;
use crate::error::Error;
use crate::interrupt;
use crate::layers::order::{Forecast, Layers};
use crate::layers::run::BringAbout;
use crate::layers::session::Session;
use crate::layers::telling::Telling;
use crate::project::Project;
use crate::seed;
use crate::server::{self, TargetServer};
use crate::target::{self, Target};

pub(crate) fn run(options: &SetupOptions, project: &Project, console: &Console) -> Exit {
    let started = Instant::now();
    if options.output.verbose {
        console.unfold();
    }
    let mut work = Work::default();
    let outcome = set_up(options, project, console, &mut work);
    console.done();
    work.errors.extend(outcome.err());
    work.notes.sort();
    work.notes.dedup();
    work.notes.iter().for_each(|note| console.note(note));
    let errors: Vec<&dyn Failure> = work.errors.iter().map(|error| error as &dyn Failure).collect();
    let server = work.server.as_ref().map(TargetServer::report);
    let report = Report::new("db-setup", server, work.steps, work.notes, &errors, started.elapsed())
        .with_causes(|cause| console.hide_secrets(cause));
    for error in errors {
        console.error(error);
    }
    if options.output.json {
        console.json(&report);
    } else if report.outcome() != Outcome::Failed {
        console.result(&report.summary());
        if let Some(server) = work.server.filter(|_| !options.dry_run && options.layers == Layer::ALL) {
            closing::say(&server, report.outcome() == Outcome::Changed, console);
        }
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
    let is_ours = work.server.as_ref().is_none_or(TargetServer::is_ours);
    let layers = runtime.block_on(Layers::read(options, project, is_ours))?;
    let Some(server) = &work.server else {
        work.steps = runtime.block_on(forecast(&layers, options, project))?;
        work.steps.iter().for_each(|step| console.step(step));
        return Ok(());
    };
    if let Some(step) = &server.started {
        console.step(step);
        work.steps.push(step.clone());
    }
    work.notes.extend_from_slice(server.url().notes());
    let targets = target::choose(&server.named, options.environment);
    let is_seeded = |target: &Target| options.seed && seed::is_for(target, &server.named);
    for target in targets.iter().filter(|target| is_seeded(target)) {
        runtime.block_on(seed::refuse(target))?;
    }
    // Side by side: nothing in one database waits for another.
    let patience = Duration::from_secs(options.lock_timeout);
    let is_new = server.started.is_some();
    let telling = Telling::new(console, targets.len());
    let session = |(place, target)| Session::new(target, console, telling.teller(place), patience).looks_first(is_new);
    let mut sessions: Vec<_> = targets.iter().enumerate().map(session).collect();
    let outcomes = runtime.block_on(async {
        let one = |session| bring_about(&layers, session, options.dry_run, project, is_seeded);
        let all = join_all(sessions.iter_mut().map(one));
        tokio::select! {
            outcomes = all => outcomes,
            error = interrupt::awaited() => vec![Err(error)],
        }
    });
    telling.rest();
    for session in sessions {
        work.steps.extend(session.steps);
        work.notes.extend(session.notes);
    }
    work.errors.extend(outcomes.into_iter().filter_map(Result::err));
    Ok(())
}

/// One database.
async fn bring_about(
    layers: &Layers,
    session: &mut Session<'_>,
    dry_run: bool,
    project: &Project,
    is_seeded: impl Fn(&Target) -> bool,
) -> Result<(), Error> {
    let outcome = async {
        layers.each(session.target, &mut BringAbout { session, dry_run }).await?;
        if is_seeded(session.target) {
            seed::run(project, session, dry_run).await?;
        }
        Ok(())
    };
    let outcome = outcome.await;
    session.end().await;
    outcome
}

/// What a run would do that first has to start a server.
async fn forecast(layers: &Layers, options: &SetupOptions, project: &Project) -> Result<Vec<Step>, Error> {
    // Only the names of the databases are taken from it.
    let nowhere = Parsed::Server(ServerUrl::parse("postgres://localhost").map_err(database::Error::from)?);
    let kind = format!("{:?}", options.server.server).to_lowercase();
    let mut steps = vec![Step::of_server("server", "server", kind, Status::Pending)];
    for target in target::choose(&nowhere, options.environment) {
        let mut forecast = Forecast { target: &target, steps: Vec::new() };
        layers.each(&target, &mut forecast).await?;
        steps.extend(forecast.steps);
        if options.seed && seed::is_for(&target, &nowhere) {
            steps.push(seed::forecast(project, &target).await?);
        }
    }
    Ok(steps)
}

/// What became of a run; kept outside of it, so that an error does not take along what was done before.
#[derive(Default)]
struct Work {
    server: Option<TargetServer>,
    steps: Vec<Step>,
    notes: Vec<String>,
    errors: Vec<Error>,
}
