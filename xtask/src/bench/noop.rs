//! A set-up with nothing to do.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use db_service::console::Console;
use db_service::step::as_milliseconds;
use db_service::{DatabaseUrl, Exit};

use super::median;
use crate::cli::{EctoMode, Layer, ServerKind, ServerOptions, SetupOptions};
use crate::error::Error;
use crate::layers::mix::is_on_path;
use crate::project::Project;
use crate::{server, setup};

/// Nothing to do: one `db-setup` for three databases, against mix and sqlx-cli for the two that have a schema.
pub(super) fn run(runs: u32, json: bool, project: &Project, console: &Console) -> Result<Exit, Error> {
    if !is_on_path("sqlx") {
        return Err(Error::NothingToCompare);
    }
    let options = ServerOptions { database_url: None, server: ServerKind::Auto };
    let server = server::obtain(&options, project, console)?;
    if setup::run(&everything(options), project, console) != Exit::Done {
        return Err(Error::Bench("the databases could not be set up"));
    }
    let xtask = std::env::current_exe().map_err(Error::WorkingDirectory)?;
    let ours = || {
        let mut command = Command::new(&xtask);
        command.arg("--project").arg(project.root()).arg("db-setup").env_remove("DATABASE_URL");
        vec![command]
    };
    let with_mix = is_on_path("mix");
    let by_hand = || {
        let databases = ["singularity_dev", "singularity_test"].map(|name| server.url.with_database(name));
        databases.iter().flat_map(|url| commands_by_hand(url, with_mix, project)).collect::<Vec<_>>()
    };
    // Alternating, so that whatever else the machine does falls on both.
    let (mut our_times, mut hand_times) = (Vec::new(), Vec::new());
    for _ in 0..runs.max(1) {
        our_times.push(time(ours())?);
        hand_times.push(time(by_hand())?);
    }
    let (ours, by_hand) = (median(&mut our_times), median(&mut hand_times));
    let ratio = by_hand.as_secs_f64() / ours.as_secs_f64();
    let against =
        if with_mix { "mix ecto.migrate + sqlx migrate run" } else { "sqlx migrate run (mix is not installed)" };
    if json {
        let document = serde_json::json!({
            "version": 1, "command": "bench noop", "runs": runs, "against": against,
            "db_setup_milliseconds": as_milliseconds(ours), "by_hand_milliseconds": as_milliseconds(by_hand), "ratio": ratio,
        });
        console.json(&document);
    } else {
        console.result(&format!(
            "db-setup, 3 databases: {:.1} ms\n{against}, 2 databases: {:.1} ms\nratio: {ratio:.1} (median of {runs} runs each)",
            as_milliseconds(ours),
            as_milliseconds(by_hand),
        ));
    }
    Ok(Exit::Done)
}

fn everything(server: ServerOptions) -> SetupOptions {
    SetupOptions {
        dry_run: false,
        json: false,
        layers: vec![Layer::Bootstrap, Layer::Ecto, Layer::Sqlx],
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

/// One after the other, as a person would type them.
fn time(commands: Vec<Command>) -> Result<Duration, Error> {
    let started = Instant::now();
    for mut command in commands {
        let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        if !status.is_ok_and(|status| status.success()) {
            return Err(Error::Bench("one of the commands failed"));
        }
    }
    Ok(started.elapsed())
}
