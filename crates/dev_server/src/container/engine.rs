//! Docker or Podman, by their command lines, which are the same for what we do.

use std::path::Path;
use std::process::Command;

use crate::error::Error;
use crate::process::{self, ProgramFailure};

/// A container engine that answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Engine {
    /// `docker` or `podman`.
    pub(crate) program: String,
}

/// Finds the first engine that answers; a client without its daemon does not.
pub(crate) fn find() -> Result<Engine, Error> {
    let mut failures = Vec::new();
    for program in ["docker", "podman"] {
        let engine = Engine { program: program.to_owned() };
        match process::stdout(&mut engine.command(&["ps", "--quiet", "--last", "1"])) {
            Ok(_) => return Ok(engine),
            Err(failure) => failures.push(failure),
        }
    }
    // A daemon that is down says more than a program that is not there.
    let index = failures.iter().position(|failure| !failure.is_missing()).unwrap_or(0);
    let source = failures.swap_remove(index);
    Err(Error::NoContainerEngine { source })
}

impl Engine {
    /// A command of the engine.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = process::command(&self.program, Path::new("/"));
        command.args(arguments);
        command
    }
}

/// The error for an engine that could not do something to a container.
pub(crate) fn failed(action: &'static str, name: &str, source: ProgramFailure) -> Error {
    Error::Container { action, name: name.to_owned(), source }
}
