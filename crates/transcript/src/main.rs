//! `transcript record`: a run of a program as an animated picture.

use std::fs;
use std::io;
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use terminal::console::Console;
use terminal::{Exit, Failure, arguments, variables};
use transcript::recording::RecordError;
use transcript::svg::Replacements;
use transcript::{Terminal, record, svg};

/// What a program shows in a terminal.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Runs a command and draws what was seen as an animated SVG
    Record(Options),
}

#[derive(Args)]
struct Options {
    /// Width of the terminal, in characters
    #[arg(long, default_value = "100")]
    columns: NonZeroU16,
    /// Height of the terminal, in lines
    #[arg(long, default_value = "30")]
    rows: NonZeroU16,
    /// The command as people type it; by default the one that is run
    #[arg(long)]
    title: Option<String>,
    /// The picture's file
    #[arg(long)]
    output: PathBuf,
    /// Ends the command after this time, in seconds
    #[arg(long, default_value_t = 600)]
    limit: u64,
    /// What is run
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("cannot record `{command}`")]
    Record {
        command: String,
        #[source]
        source: RecordError,
    },
    #[error("`{command}` ended with exit code {code}: no picture is made of that")]
    Failed { command: String, code: i32 },
    #[error("the picture would show `{0}`, a folder of this machine")]
    Place(String),
    #[error("cannot write `{}`", .file.display())]
    Write {
        file: PathBuf,
        #[source]
        source: io::Error,
    },
}

impl Failure for Error {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Record { .. } => "give the program after `--`, as a shell finds it".into(),
            Self::Failed { command, .. } => format!("run `{command}` by itself to see why"),
            Self::Place(_) => "make the terminal wider by `--columns`: a line breaks within its name".into(),
            Self::Write { .. } => "name a file in a folder that is there and can be written to".into(),
        })
    }
}

fn main() -> ExitCode {
    let console = Console::new();
    let Action::Record(options) = match arguments::parse::<Cli>(&console) {
        Ok(cli) => cli.action,
        Err(exit) => return exit,
    };
    match picture(&options) {
        Ok(kilobytes) => {
            console.result(&format!("wrote `{}`, {kilobytes} kB", options.output.display()));
            Exit::Done.into()
        }
        Err(error) => {
            console.error(&error);
            error.exit().into()
        }
    }
}

fn picture(options: &Options) -> Result<usize, Error> {
    let [program, arguments @ ..] = options.command.as_slice() else { unreachable!("clap asks for one") };
    let line = options.command.join(" ");
    let mut command = Command::new(program);
    command.args(arguments);
    let terminal = Terminal { columns: options.columns, rows: options.rows, colour: true };
    let recording = record(command, terminal, Duration::from_secs(options.limit), |_| None)
        .map_err(|source| Error::Record { command: line.clone(), source })?;
    if recording.code != 0 {
        return Err(Error::Failed { command: line, code: recording.code });
    }
    let places = places();
    let drawing = svg::draw(&recording, options.title.as_ref().unwrap_or(&line), &places);
    if let Some((place, _)) = places.into_iter().find(|(place, _)| drawing.contains(place)) {
        return Err(Error::Place(place));
    }
    let failed = |source| Error::Write { file: options.output.clone(), source };
    fs::write(&options.output, &drawing).map_err(failed)?;
    Ok(drawing.len().div_ceil(1000))
}

/// Folders of this machine, the longest first, and what stands for them.
fn places() -> Replacements {
    let here = std::env::current_dir().ok().map(|folder| (folder, "."));
    let home = variables::home().map(|folder| (folder, "~"));
    let temporary = Some((variables::temporary_folder(), "/tmp"));
    let is_of_this_machine = |folder: &Path, by: &str| folder.parent().is_some() && folder != Path::new(by);
    let mut places: Replacements = [here, home, temporary]
        .into_iter()
        .flatten()
        .filter(|(folder, by)| is_of_this_machine(folder, by))
        .map(|(folder, by)| (folder.display().to_string(), by.to_owned()))
        .collect();
    places.sort_by_key(|(folder, _)| std::cmp::Reverse(folder.len()));
    places
}
