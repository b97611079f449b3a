//! `bench`: what is measured, with which commands; the measuring is the crate `bench`'s.

use std::process::{Command, Stdio};

use bench::relayout::Size;
use bench::{cache, dedup, ingest, noop, relayout, search, stats};
use corpus::Source;
use corpus::embedded::Embedded;
use corpus::repository::Repositories;
use database::DatabaseUrl;
use database::url::Parsed;
use serde_json::Value;
use terminal::Exit;
use terminal::console::Console;
use terminal::variables::is_on_path;

use crate::cli::{
    Bench, CacheOptions, DedupOptions, IngestOptions, RelayoutOptions, SearchOptions, ServerKind, ServerOptions,
    SetupOptions, SourceOptions, StatsOptions,
};
use crate::error::Error;
use crate::project::Project;
use crate::{server, setup};

pub(crate) fn run(bench: &Bench, project: &Project, console: &Console) -> Result<Exit, Error> {
    match bench {
        Bench::Noop { runs, json } => run_noop(*runs, *json, project, console),
        Bench::Relayout(options) => run_relayout(options, project, console),
        Bench::Ingest(options) => run_ingest(options, project, console),
        Bench::Search(options) => run_search(options, project, console),
        Bench::Cache(options) => run_cache(options, project, console),
        Bench::Stats(options) => run_stats(options, project, console),
        Bench::Dedup(options) => run_dedup(options, project, console),
    }
}

/// Nothing to do: one `db-setup` for three databases, against mix and sqlx-cli for the two that have a schema.
fn run_noop(runs: u32, json: bool, project: &Project, console: &Console) -> Result<Exit, Error> {
    if !is_on_path("sqlx") {
        return Err(bench::Error::NothingToCompare.into());
    }
    let options = ServerOptions { database_url: None, reads_variable: false, server: ServerKind::Auto };
    let server = server::obtain(&options, project, console)?;
    if setup::run(&SetupOptions::everything(options), project, console) != Exit::Done {
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
    Ok(show(json, &measured.document(), &measured.text(), console))
}

fn run_relayout(options: &RelayoutOptions, project: &Project, console: &Console) -> Result<Exit, Error> {
    let server = server::obtain(&options.server, project, console)?;
    let size = Size { rows: options.rows, vectors: options.vectors, writers: options.writers };
    let set_up = set_up(project)?;
    let measured = relayout::measure(size, server.url(), &set_up, console)?;
    Ok(show(options.json, &measured.document(), &measured.text(), console))
}

fn run_ingest(options: &IngestOptions, project: &Project, console: &Console) -> Result<Exit, Error> {
    // Files that cannot be read are told of before a server is started for them.
    let source = source(&options.source).map_err(bench::Error::from)?.limit(options.limit);
    let server = server::obtain(&options.server, project, console)?;
    let place = match &server.named {
        Parsed::Database(url) => ingest::Place::Named(url.clone()),
        Parsed::Server(server) => ingest::Place::Scratch { server: server.clone(), keep: options.keep },
    };
    let set_up = set_up(project)?;
    let ingested = ingest::measure(source, &place, usize::from(options.jobs), &set_up, console)?;
    Ok(show(options.json, &ingested.document(), &ingested.text(), console))
}

fn run_search(options: &SearchOptions, project: &Project, console: &Console) -> Result<Exit, Error> {
    // What cannot be read is told of before a server is started for it.
    source(&options.source).map_err(bench::Error::from)?;
    let server = server::obtain(&options.server, project, console)?;
    let size =
        search::Size { vectors: options.sizes.clone(), clients: options.clients.clone(), queries: options.queries };
    let set_up = set_up(project)?;
    let measured = search::measure(&|| source(&options.source), &size, server.url(), &set_up, console)?;
    Ok(show(options.json, &measured.document(), &measured.text(), console))
}

fn run_cache(options: &CacheOptions, project: &Project, console: &Console) -> Result<Exit, Error> {
    let source = source(&options.source).map_err(bench::Error::from)?.limit(options.limit);
    let server = server::obtain(&options.server, project, console)?;
    let set_up = set_up(project)?;
    let measured = cache::measure(source, server.url(), &set_up, console)?;
    Ok(show(options.json, &measured.document(), &measured.text(), console))
}

fn run_stats(options: &StatsOptions, project: &Project, console: &Console) -> Result<Exit, Error> {
    let server = server::obtain(&options.server, project, console)?;
    let set_up = set_up(project)?;
    let measured = stats::measure(server.url(), &set_up, console)?;
    Ok(show(options.json, &measured.document(), &measured.text(), console))
}

fn run_dedup(options: &DedupOptions, project: &Project, console: &Console) -> Result<Exit, Error> {
    let server = server::obtain(&options.server, project, console)?;
    let set_up = set_up(project)?;
    let size = dedup::Size { contents: options.contents, rows: options.rows };
    let measured = dedup::measure(size, server.url(), &set_up, console)?;
    Ok(show(options.json, &measured.document(), &measured.text(), console))
}

/// For programs or for people.
fn show(json: bool, document: &Value, text: &str, console: &Console) -> Exit {
    if json {
        console.json(document);
    } else {
        console.result(text);
    }
    Exit::Done
}

/// The model of vectors from a file, where none is named.
const MODEL: &str = "all-mpnet-base-v2";

fn source(options: &SourceOptions) -> Result<Source, corpus::Error> {
    let source = match (&options.vectors, &options.rows, &options.path) {
        (Some(vectors), Some(rows), _) => Source::vectors(Embedded::open(vectors, rows)?, MODEL),
        (.., Some(path)) => Source::files(Repositories::in_folder(path)?),
        _ => Source::files(Repositories::in_registry()?),
    };
    let source = source.copies(options.copies);
    Ok(match &options.model {
        Some(model) => source.model(model),
        None => source,
    })
}

/// Sets a scratch database up by this very program.
fn set_up(project: &Project) -> Result<impl Fn(&DatabaseUrl, &[&str]) -> bool, Error> {
    let xtask = std::env::current_exe().map_err(Error::OwnFile)?;
    Ok(move |url: &DatabaseUrl, arguments: &[&str]| {
        let mut command = Command::new(&xtask);
        command.arg("--project").arg(project.root());
        command.args(["db-setup", "--yes", "--environment", "test"]).args(arguments);
        command.env("DATABASE_URL", url.for_libpq()).stdin(Stdio::null()).stdout(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    })
}

fn commands_by_hand(url: &DatabaseUrl, with_mix: bool, project: &Project) -> Vec<Command> {
    let mut sqlx = Command::new("sqlx");
    sqlx.args(["migrate", "run", "--no-dotenv"]).current_dir(project.root()).env("DATABASE_URL", url.for_libpq());
    let mut mix = Command::new("mix");
    mix.arg("ecto.migrate").current_dir(project.ecto_app()).env("DATABASE_URL", url.for_ecto());
    if with_mix { vec![mix, sqlx] } else { vec![sqlx] }
}
