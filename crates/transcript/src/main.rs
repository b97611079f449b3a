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
use transcript::{Recording, Replay, Terminal, record, svg};

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
    #[error("`{0}`, a folder of this machine, would be in the picture")]
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
            Self::Place(_) => {
                "it was printed in pieces; run the command in a folder whose name it does not print".into()
            }
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
    let recording = without(&places, recording)?;
    let replace = |line: String, (place, by): &(String, String)| line.replace(place, by);
    let title = options.title.clone().unwrap_or_else(|| places.iter().fold(line, replace));
    let drawing = svg::draw(&recording, &title);
    let failed = |source| Error::Write { file: options.output.clone(), source };
    fs::write(&options.output, &drawing).map_err(failed)?;
    Ok(drawing.len().div_ceil(1000))
}

/// Folders of this machine, the longest first, and what stands for them.
fn places() -> Vec<(String, String)> {
    let here = std::env::current_dir().ok().map(|folder| (folder, "."));
    let home = variables::home().map(|folder| (folder, "~"));
    let temporary = Some((variables::temporary_folder(), "/tmp"));
    let is_of_this_machine = |folder: &Path, by: &str| folder.parent().is_some() && folder != Path::new(by);
    let mut places: Vec<(String, String)> = [here, home, temporary]
        .into_iter()
        .flatten()
        .filter(|(folder, by)| is_of_this_machine(folder, by))
        .map(|(folder, by)| (folder.display().to_string(), by.to_owned()))
        .collect();
    places.sort_by_key(|(folder, _)| std::cmp::Reverse(folder.len()));
    places
}

/// The run as if they were not its: each place is printed as what stands for it.
fn without(places: &[(String, String)], mut recording: Recording) -> Result<Recording, Error> {
    for chunk in &mut recording.chunks {
        for (place, by) in places {
            chunk.bytes = replaced(&chunk.bytes, place.as_bytes(), by.as_bytes());
        }
    }
    let printed: Vec<u8> = recording.chunks.iter().flat_map(|chunk| chunk.bytes.iter().copied()).collect();
    let seen = Replay::of(&recording).lines.join("\n");
    let is_there = |place: &str| !positions(&printed, place.as_bytes()).is_empty() || seen.contains(place);
    match places.iter().find(|(place, _)| is_there(place)) {
        Some((place, _)) => Err(Error::Place(place.clone())),
        None => Ok(recording),
    }
}

fn positions(bytes: &[u8], word: &[u8]) -> Vec<usize> {
    (0..bytes.len()).filter(|at| bytes[*at..].starts_with(word)).collect()
}

fn replaced(bytes: &[u8], word: &[u8], by: &[u8]) -> Vec<u8> {
    let (mut result, mut done) = (Vec::new(), 0);
    for at in positions(bytes, word) {
        if at >= done {
            result.extend_from_slice(&bytes[done..at]);
            result.extend_from_slice(by);
            done = at + word.len();
        }
    }
    result.extend_from_slice(&bytes[done..]);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(output: PathBuf, script: &str) -> Options {
        let size = |size| NonZeroU16::new(size).unwrap();
        let command = ["sh", "-c", script].map(str::to_owned).to_vec();
        Options { columns: size(20), rows: size(5), title: None, output, limit: 60, command }
    }

    fn draw(name: &str, script: &str) -> Result<String, Error> {
        let output = std::env::temp_dir().join(format!("transcript-{}-{name}.svg", std::process::id()));
        let drawn = picture(&options(output.clone(), script)).map(|_| fs::read_to_string(&output).unwrap());
        drop(fs::remove_file(output));
        drawn
    }

    #[test]
    fn folders_of_this_machine_are_not_shown() {
        let here = std::env::current_dir().unwrap().display().to_string();
        let drawing = draw("folders", &format!("pwd; echo 'a{here}/b'; cd '{here}'")).unwrap();
        assert!(
            drawing.contains(">.</text>") && drawing.contains(">a./b</text>") && !drawing.contains(&here),
            "{drawing}"
        );
    }

    #[test]
    fn a_folder_that_is_printed_in_pieces_is_refused() {
        let here = std::env::current_dir().unwrap().display().to_string();
        // Before the end of any folder that has a name of its own.
        let (first, rest) = here.split_at(2);
        for between in ["sleep 1", r"printf '\033[31m'"] {
            let error = draw("pieces", &format!("printf '{first}'; {between}; printf '{rest}'")).unwrap_err();
            assert!(matches!(&error, Error::Place(place) if *place == here), "{error}");
        }
    }

    #[test]
    fn a_run_that_failed_is_not_drawn() {
        assert!(matches!(draw("failed", "exit 3"), Err(Error::Failed { code: 3, .. })));
    }
}
