//! `cargo xtask`: the development tools of Singularity's database. `cargo xtask --help` lists them.

mod bench;
mod ci;
mod clean_cache;
mod cli;
mod closing;
mod db_server;
mod error;
mod interrupt;
mod layers;
mod process;
mod project;
mod reset;
mod seed;
mod server;
mod setup;
mod status;
mod structure;
mod target;
mod test;

use std::process::ExitCode;

use terminal::console::Console;
use terminal::{Exit, Failure as _, arguments, completions};

use cli::{Cli, Command, ServerCommand};
use error::Error;
use project::Project;

/// By this variable a shell asks what to complete.
const COMPLETING: &str = "XTASK_COMPLETE";

fn main() -> ExitCode {
    completions::answer::<Cli>(COMPLETING);
    let console: &'static Console = Box::leak(Box::new(Console::new()));
    let cli = match arguments::parse::<Cli>(console) {
        Ok(cli) => cli,
        Err(exit) => return exit,
    };
    // psql has an answer of its own to Ctrl-C, and to it a log is followed.
    if !matches!(cli.command, Command::DbServer(ServerCommand::Psql { .. } | ServerCommand::Logs { .. })) {
        interrupt::watch(console);
    }
    let project = Project::find(cli.project.as_deref()).map_err(Error::from);
    let outcome = project.and_then(|project| match cli.command {
        Command::DbSetup(options) => Ok(setup::run(&options, &project, console)),
        Command::DbStatus(options) => Ok(status::run(&options, &project, console)),
        Command::DbServer(command) => db_server::run(&command, &project, console),
        Command::DbStructure(options) => structure::run(&options, &project, console).map_err(Error::from),
        Command::Test(options) => test::run(&options, &project, console),
        Command::CleanCache(options) => clean_cache::run(&options, console),
        Command::Ci => ci::run(&project, console),
        Command::Bench(bench) => bench::run(&bench, &project, console),
        Command::Completions { shell } => {
            let script = completions::of_cargo_alias("xtask", COMPLETING, shell).map_err(Error::OwnFile)?;
            console.result(script.trim_end());
            Ok(Exit::Done)
        }
    });
    console.done();
    match outcome {
        Ok(exit) => exit.into(),
        Err(error) => {
            console.error(&error);
            error.exit().into()
        }
    }
}
