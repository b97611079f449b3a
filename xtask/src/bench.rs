//! `bench`: what is measured, with which commands; the measuring is the crate `bench`'s.

use std::process::{Command, Stdio};

use bench::relayout::Size;
use bench::{noop, relayout};
use database::DatabaseUrl;
use terminal::Exit;
use terminal::console::Console;
use terminal::variables::is_on_path;

use crate::cli::{Bench, EctoMode, Layer, Output, RelayoutOptions, ServerKind, ServerOptions, SetupOptions};
use crate::error::Error;
use crate::project::Project;
use crate::{server, setup};

pub(crate) fn run(bench: &Bench, project: &Project, console: &Console) -> Result<Exit, Error> {
    match bench {
        Bench::Noop { runs, json } => run_noop(*runs, *json, project, console),
        Bench::Relayout(options) => run_relayout(options, project, console),
    }
}

/// Nothing to do: one `db-setup` for three databases, against mix and sqlx-cli for the two that have a schema.
fn run_noop(runs: u32, json: bool, project: &Project, console: &Console) -> Result<Exit, Error> {
    if !is_on_path("sqlx") {
        return Err(bench::Error::NothingToCompare.into());
    }
    let options = ServerOptions { database_url: None, reads_variable: false, server: ServerKind::Auto };
    let server = server::obtain(&options, project, console)?;
    if setup::run(&everything(options), project, console) != Exit::Done {
        return Err(bench::Error::Failed("the databases could not be set up").into());
    }
    let xtask = std::env::current_exe().map_err(Error::OwnFile)?;
    let ours = || {
        let mut command = Command::new(&xtask);
        command.arg("--project").arg(project.root()).arg("db-setup").env_remove("DATABASE_URL");
        vec![command]
    };
    let with_mix = is_on_path("mix");
    let by_hand = || {
        let databases = ["singularity_dev", "singularity_test"].map(|name| server.url().database(name));
        databases.iter().flat_map(|url| commands_by_hand(url, with_mix, project)).collect::<Vec<_>>()
    };
    let against =
        if with_mix { "mix ecto.migrate + sqlx migrate run" } else { "sqlx migrate run (mix is not installed)" };
    let measured = noop::measure(runs, against, ours, by_hand)?;
    if json {
        console.json(&measured.document());
    } else {
        console.result(&measured.text());
    }
    Ok(Exit::Done)
}

fn run_relayout(options: &RelayoutOptions, project: &Project, console: &Console) -> Result<Exit, Error> {
    let server = server::obtain(&options.server, project, console)?;
    let size = Size { rows: options.rows, vectors: options.vectors, writers: options.writers };
    let xtask = std::env::current_exe().map_err(Error::OwnFile)?;
    let set_up = |url: &DatabaseUrl, layers: &[&str]| {
        let mut command = Command::new(&xtask);
        command.arg("--project").arg(project.root());
        command.args(["db-setup", "--yes", "--environment", "test", "--layers", &layers.join(",")]);
        command.env("DATABASE_URL", url.for_libpq()).stdin(Stdio::null()).stdout(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    let measured = relayout::measure(size, server.url(), &set_up, console)?;
    if options.json {
        console.json(&measured.document());
    } else {
        console.result(&measured.text());
    }
    Ok(Exit::Done)
}

fn everything(server: ServerOptions) -> SetupOptions {
    SetupOptions {
        dry_run: false,
        output: Output::default(),
        layers: Layer::ALL.to_vec(),
        server,
        require: Vec::new(),
        ecto: EctoMode::Auto,
        ecto_command: None,
        environment: None,
        yes: false,
        lock_timeout: 600,
    }
}

fn commands_by_hand(url: &DatabaseUrl, with_mix: bool, project: &Project) -> Vec<Command> {
    let mut sqlx = Command::new("sqlx");
    sqlx.args(["migrate", "run", "--no-dotenv"]).current_dir(project.root()).env("DATABASE_URL", url.for_libpq());
    let mut mix = Command::new("mix");
    mix.arg("ecto.migrate").current_dir(project.ecto_app()).env("DATABASE_URL", url.for_ecto());
    if with_mix { vec![mix, sqlx] } else { vec![sqlx] }
}
