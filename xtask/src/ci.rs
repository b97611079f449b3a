//! `ci`: the checks that need no tests: formatting, lints, documentation, checked queries, dependencies.

use terminal::Exit;
use terminal::console::Console;
use terminal::variables::is_on_path;
use xshell::{Cmd, Shell, cmd};

use crate::error::Error;
use crate::project::Project;

pub(crate) fn run(project: &Project, console: &Console) -> Result<Exit, Error> {
    let shell = Shell::new()?;
    shell.change_dir(project.root());
    let checks = [
        Check { name: "formatting", tool: None, command: cmd!(shell, "cargo fmt --all --check") },
        Check {
            name: "lints",
            tool: None,
            command: cmd!(shell, "cargo clippy --quiet --workspace --all-targets -- -D warnings"),
        },
        Check {
            name: "documentation",
            tool: None,
            command: cmd!(shell, "cargo doc --quiet --workspace --no-deps --document-private-items")
                .env("RUSTDOCFLAGS", "-D warnings"),
        },
        Check { name: "queries", tool: Some("cargo-sqlx"), command: queries(&shell, project)? },
        Check {
            name: "dependencies",
            tool: Some("cargo-deny"),
            command: cmd!(shell, "cargo deny --offline check bans licenses sources"),
        },
        Check {
            name: "Elixir formatting",
            tool: Some("mix"),
            command: cmd!(shell, "sh -c 'cd singularity_app && mix format --check-formatted'"),
        },
    ];
    let (mut failed, total) = (Vec::new(), checks.len());
    for check in checks {
        match check.run() {
            Verdict::Passed => console.result(&format!("Passed {}", check.name)),
            Verdict::LeftOut(tool) => console.result(&format!("Left out {}: `{tool}` is not installed", check.name)),
            Verdict::Failed => {
                console.result(&format!("Failed {}: `{}`", check.name, check.command));
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
    command: Cmd<'a>,
}

enum Verdict {
    Passed,
    Failed,
    LeftOut(&'static str),
}

impl Check<'_> {
    fn run(&self) -> Verdict {
        match self.tool {
            Some(tool) if !is_on_path(tool) => Verdict::LeftOut(tool),
            _ if self.command.run().is_ok() => Verdict::Passed,
            _ => Verdict::Failed,
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
