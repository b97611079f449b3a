//! `db-status`: every database, layer by layer, as it is at one moment; nothing is written.

mod job;
mod look;
mod table;

use std::time::{Duration, Instant};

use terminal::console::Console;
use terminal::report::{Outcome, Report};
use terminal::step::{self, Step};
use terminal::{Exit, Failure};

use crate::cli::{SetupOptions, StatusOptions};
use crate::error::Error;
use crate::layers::order::Layers;
use crate::project::Project;
use crate::server::{self, TargetServer};
use crate::target;
use job::Jobs;
use look::Seen;

pub(crate) fn run(options: &StatusOptions, project: &Project, console: &Console) -> Exit {
    let mut jobs = Jobs::default();
    loop {
        let started = Instant::now();
        let mut status = Status::default();
        if let Err(error) = read(options, project, console, &mut status) {
            status.errors.push(error);
        }
        console.done();
        let exit = status.show(options, &mut jobs, started, console);
        if !options.watch || status.errors.iter().any(|error| error.exit() != Exit::Violation) {
            return exit;
        }
        std::thread::sleep(Duration::from_secs(options.interval).saturating_sub(started.elapsed()));
    }
}

/// What was seen, and what went wrong.
#[derive(Default)]
struct Status {
    server: Option<TargetServer>,
    /// The server that a set-up would start.
    missing: Option<Step>,
    databases: Vec<Seen>,
    errors: Vec<Error>,
}

impl Status {
    fn show(&self, options: &StatusOptions, jobs: &mut Jobs, at: Instant, console: &Console) -> Exit {
        let errors: Vec<&dyn Failure> = self.errors.iter().map(|error| error as &dyn Failure).collect();
        let of_databases = self.databases.iter().flat_map(|seen| seen.steps.clone());
        let steps: Vec<Step> = self.missing.iter().cloned().chain(of_databases).collect();
        let server = self.server.as_ref().map(TargetServer::report);
        let report = Report::new("db-status", server.clone(), steps, Vec::new(), &errors, at.elapsed())
            .with_causes(|cause| console.hide_secrets(cause));
        if options.output.json {
            console.json(&report);
        } else {
            if options.watch {
                console.clear();
            }
            if self.missing.is_some() {
                console.result("The development server is not running");
            }
            jobs.look_at(self.databases.iter().flat_map(|seen| &seen.steps), at);
            for seen in &self.databases {
                console.result(&table::of(seen, server.as_ref(), jobs, options.output.verbose));
            }
            if report.outcome() == Outcome::Pending {
                console.next("Pending: `cargo xtask db-setup` does it");
            }
        }
        for error in errors {
            console.error(error);
        }
        report.exit()
    }
}

fn read(options: &StatusOptions, project: &Project, console: &Console, status: &mut Status) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Runtime)?;
    status.server = server::find(&options.server, project, console)?;
    let Some(server) = &status.server else {
        status.missing = Some(Step::of_server("server", "server", "development", step::Status::Pending));
        return Ok(());
    };
    let everything = SetupOptions { dry_run: true, ..SetupOptions::everything(options.server.clone()) };
    let layers = runtime.block_on(Layers::read(&everything, project, server.is_ours()))?;
    let targets = target::choose(&server.named, None);
    for seen in runtime.block_on(look::at(&targets, &layers, console)) {
        let (seen, errors) = seen;
        status.databases.push(seen);
        status.errors.extend(errors);
    }
    Ok(())
}
