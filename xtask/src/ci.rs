//! `ci`: the checks that need no tests: the shape of the house, formatting, lints, documentation, checked queries,
//! migrations, dependencies.

mod house;
mod imports;
mod items;
mod modules;

use std::path::Path;

use terminal::Exit;
use terminal::console::Console;
use terminal::variables::is_on_path;
use xshell::{Cmd, Shell, cmd};

use crate::error::Error;
use crate::project::Project;
use house::{Fault, HouseError};

pub(crate) fn run(project: &Project, console: &Console) -> Result<Exit, Error> {
    let shell = Shell::new()?;
    shell.change_dir(project.root());
    let checks = [
        Check { name: "structure", tool: None, work: Work::Reading(house::faults) },
        Check::command("formatting", cmd!(shell, "cargo fmt --all --check")),
        Check::command("lints", cmd!(shell, "cargo clippy --quiet --workspace --all-targets -- -D warnings")),
        Check::command(
            "documentation",
            cmd!(shell, "cargo doc --quiet --workspace --no-deps --document-private-items")
                .env("RUSTDOCFLAGS", "-D warnings"),
        ),
        Check::command("queries", queries(&shell, project)?).with("cargo-sqlx"),
        Check::command("migrations", cmd!(shell, "squawk 'migrations/*.sql'")).with("squawk"),
        Check::command("dependencies", cmd!(shell, "cargo deny --offline check bans licenses sources"))
            .with("cargo-deny"),
        Check::command("Elixir formatting", cmd!(shell, "sh -c 'cd singularity_app && mix format --check-formatted'"))
            .with("mix"),
    ];
    let (mut failed, total) = (Vec::new(), checks.len());
    for check in checks {
        match check.run(project.root(), console) {
            Verdict::Passed => console.result(&format!("Passed {}", check.name)),
            Verdict::LeftOut(tool) => console.result(&format!("Left out {}: `{tool}` is not installed", check.name)),
            Verdict::Failed(what) => {
                console.result(&format!("Failed {}: {what}", check.name));
                failed.push(check.name);
            }
        }
    }
    match failed.len() {
        0 => Ok(Exit::Done),
        count => Err(Error::Checks { failed: count, total, names: failed.join(", ") }),
    }
}

struct Check<'a> {
    name: &'static str,
    /// The program that it needs beside the toolchain.
    tool: Option<&'static str>,
    work: Work<'a>,
}

enum Work<'a> {
    Command(Cmd<'a>),
    /// Looks at the files of the folder itself.
    Reading(fn(&Path) -> Result<Vec<Fault>, HouseError>),
}

enum Verdict {
    Passed,
    Failed(String),
    LeftOut(&'static str),
}

impl<'a> Check<'a> {
    fn command(name: &'static str, command: Cmd<'a>) -> Self {
        Self { name, tool: None, work: Work::Command(command) }
    }

    fn with(self, tool: &'static str) -> Self {
        Self { tool: Some(tool), ..self }
    }

    fn run(&self, root: &Path, console: &Console) -> Verdict {
        if let Some(tool) = self.tool.filter(|tool| !is_on_path(tool)) {
            return Verdict::LeftOut(tool);
        }
        match &self.work {
            Work::Command(command) if command.run().is_ok() => Verdict::Passed,
            Work::Command(command) => Verdict::Failed(format!("`{command}`")),
            Work::Reading(faults) => match faults(root) {
                Ok(faults) if faults.is_empty() => Verdict::Passed,
                Ok(faults) => {
                    let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
                    let noun = if faults.len() == 1 { "fault" } else { "faults" };
                    Verdict::Failed(format!("{} {noun}\n{}", faults.len(), lines.join("\n")))
                }
                Err(error) => {
                    console.error(&error);
                    Verdict::Failed("it could not be read".into())
                }
            },
        }
    }
}

/// Compares `.sqlx` with a database that this very program has set up.
fn queries<'a>(shell: &'a Shell, project: &Project) -> Result<Cmd<'a>, Error> {
    let xtask = std::env::current_exe().map_err(Error::OwnFile)?;
    if is_on_path("cargo-sqlx") {
        cmd!(shell, "{xtask} db-setup").env_remove("DATABASE_URL").run()?;
    }
    let url = dev_server::running(project.root())
        .map_err(crate::server::ServerError::from)?
        .map(|server| server.url("singularity_dev"));
    // The command is printed when it runs; the URL, which holds the password, is not part of it.
    Ok(cmd!(shell, "cargo sqlx prepare --workspace --check -- --quiet").env("DATABASE_URL", url.unwrap_or_default()))
}
