//! The performance layer for production: needs `DATABASE_URL` and nothing else, no Elixir, no Nix, no source tree.

mod advise;
mod analyze;
mod answers;
mod calibrate;
mod cli;
mod consent;
mod create_index;
mod declare;
mod embedded;
mod filters;
mod layout;
mod look;
mod maintain;
mod problem;
mod run;
mod script;
mod search;
mod statements;
mod stats;
mod work;

use std::process::ExitCode;
use std::time::Instant;

use terminal::console::Console;
use terminal::report::Report;
use terminal::{Failure, arguments, completions};

use cli::{Command, Options};
use problem::Problem;
use run::Run;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    completions::answer::<Options>("MIGRATIONS_COMPLETE");
    let console = Console::new();
    let options = match arguments::parse::<Options>(&console) {
        Ok(options) => options,
        Err(exit) => return exit,
    };
    if options.target.verbose {
        console.unfold();
    }
    let started = Instant::now();
    let mut run = Run::new(&console);
    let outcome = tokio::select! {
        outcome = run.execute(&options) => outcome,
        _ = tokio::signal::ctrl_c() => Err(Problem::Interrupted),
    };
    let error = outcome.err();
    let errors: Vec<&dyn Failure> = error.iter().map(|error| error as &dyn Failure).collect();
    let command = Command::name(options.command.as_ref());
    let report = Report::new(command, run.server, run.steps, run.notes, &errors, started.elapsed())
        .with_causes(|cause| console.hide_secrets(cause))
        .with_warnings(&run.warnings)
        .with_statements(run.statements.documents());
    console.done();
    if let Some(error) = &error {
        console.error(error);
    }
    if options.target.json {
        console.json(&report);
    } else if error.is_none() {
        if let Some(sql) = &run.sql {
            // Nothing else goes to where psql may be reading.
            console.result(sql);
            console.note(&report.summary());
        } else if let Some(found) = &run.found {
            console.result(found);
        } else {
            run.statements.print(&console);
            console.result(&report.summary());
        }
    }
    report.exit().into()
}
