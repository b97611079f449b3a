//! `db-server`: the development server by hand.

use std::os::unix::process::CommandExt as _;

use dev_server::Stop;
use terminal::Exit;
use terminal::console::Console;

use crate::cli::ServerCommand;
use crate::error::Error;
use crate::process::ProcessError;
use crate::project::Project;
use crate::reset;
use crate::server::{self, ServerError};

pub(crate) fn run(command: &ServerCommand, project: &Project, console: &Console) -> Result<Exit, Error> {
    match command {
        ServerCommand::Start { server, port } => start(*server, *port, project, console),
        ServerCommand::Stop => stop(project, console),
        ServerCommand::Status { json } => status(*json, project, console),
        ServerCommand::Url { database } => {
            console.result(&running(project)?.url(database));
            Ok(Exit::Done)
        }
        ServerCommand::Psql { database, arguments } => {
            let mut psql = dev_server::psql(&running(project)?, database);
            psql.args(arguments);
            replace_this_process(psql)
        }
        ServerCommand::Reset(options) => reset::run(options, project, console),
        ServerCommand::Logs { lines, follow } => {
            // Also of one that does not run: that is when it is needed.
            let log = dev_server::log(project.root()).map_err(ServerError::from)?.ok_or(ServerError::NoLog)?;
            replace_this_process(dev_server::logs(&log, *lines, *follow))
        }
    }
}

fn start(kind: crate::cli::ServerKind, port: Option<u16>, project: &Project, console: &Console) -> Result<Exit, Error> {
    let server = server::start(kind, port, project, console)?;
    match &server.started {
        Some(step) => console.result(&step.to_string()),
        None => console.result(&format!("Unchanged: the server is running at `{}`", server.url())),
    }
    Ok(Exit::Done)
}

fn stop(project: &Project, console: &Console) -> Result<Exit, Error> {
    let job = console.job("server");
    job.announce("Stopping the server");
    let stop = dev_server::stop(project.root()).map_err(ServerError::from)?;
    drop(job);
    match stop {
        Stop::Stopped => console.result("Stopped the server; its data stays"),
        Stop::WasNotRunning => console.result("Unchanged: the server was not running"),
    }
    Ok(Exit::Done)
}

fn status(json: bool, project: &Project, console: &Console) -> Result<Exit, Error> {
    let server = dev_server::running(project.root()).map_err(ServerError::from)?;
    let exit = if server.is_some() { Exit::Done } else { Exit::Pending };
    if json {
        let server = server.map(|server| {
            serde_json::json!({
                "kind": server.kind.name(),
                "postgresql": server.version,
                "port": server.port,
                "url": server.redacted_url(""),
            })
        });
        let document =
            serde_json::json!({ "version": 1, "command": "db-server status", "exit_code": exit, "server": server });
        console.json(&document);
        return Ok(exit);
    }
    match server {
        Some(server) => console.result(&format!(
            "Running: PostgreSQL {} ({}) at `{}`",
            server.version,
            server.kind,
            server.redacted_url("")
        )),
        None => console.result("Not running; `cargo xtask db-server start` starts it"),
    }
    Ok(exit)
}

fn running(project: &Project) -> Result<dev_server::Server, Error> {
    let server = dev_server::running(project.root()).map_err(ServerError::from)?;
    server.ok_or_else(|| ServerError::NotRunning.into())
}

/// psql and tail take over the terminal, so they take over the process.
fn replace_this_process(mut command: std::process::Command) -> Result<Exit, Error> {
    let source = command.exec();
    let command = command.get_program().to_string_lossy().into_owned();
    Err(ProcessError::Start { command, source }.into())
}
