//! Runs of the real programs, with what they printed.

use std::fmt::Write as _;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

use crate::server::{PASSWORD, project};

/// A finished run.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// `cargo xtask …` on this project, without mix unless a test brings one, and without this shell's database.
pub(crate) fn xtask(arguments: &[&str]) -> Run {
    run(xtask_command(project(), arguments))
}

pub(crate) fn xtask_command(project: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.arg("--project").arg(project).args(arguments);
    clean(&mut command);
    command
}

/// The production binary: nothing but `DATABASE_URL`, in a folder that is not the project.
pub(crate) fn migrations(url: &str, arguments: &[&str]) -> Run {
    run(migrations_command(url, arguments))
}

/// The same, to be started and killed.
pub(crate) fn migrations_command(url: &str, arguments: &[&str]) -> Command {
    let path = Path::new(env!("CARGO_BIN_EXE_xtask")).with_file_name("migrations");
    assert!(path.exists(), "{} is missing: run `cargo build --workspace` first", path.display());
    let mut command = Command::new(path);
    command.args(arguments).env_clear().env("DATABASE_URL", url).current_dir("/");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Runs it and holds it to the rule that no output ever shows the password.
pub(crate) fn run(mut command: Command) -> Run {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = command.output().unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
    Run::of(&output)
}

/// Sends a signal by name (`INT`, `KILL`) to a program that was not waited for yet.
pub(crate) fn signal(child: &Child, name: &str) {
    let status = Command::new("sh").args(["-c", &format!("kill -{name} {}", child.id())]).status().unwrap();
    assert!(status.success(), "kill -{name}: {status}");
}

impl Run {
    pub(crate) fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let run = Self {
            code: output.status.code().unwrap_or(-1),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        };
        for secret in [PASSWORD, "s3cr%40t", "s3cr@t"] {
            assert!(
                !run.stdout.contains(secret) && !run.stderr.contains(secret),
                "the password is shown:\n{}",
                run.transcript()
            );
        }
        run
    }

    #[track_caller]
    pub(crate) fn succeeds(self) -> Self {
        self.exits(0)
    }

    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\n{}", self.transcript());
        self
    }

    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "`{text}` is not in\n{}", self.transcript());
        self
    }

    /// The last line of a run that had neither anything to do nor to tell.
    #[track_caller]
    pub(crate) fn says_nothing_to_do(self) -> Self {
        assert!(self.stdout.contains("nothing to do"), "\n{}", self.transcript());
        self
    }

    #[track_caller]
    pub(crate) fn prints(self, text: &str) -> Self {
        assert!(self.stdout.contains(text), "`{text}` is not in\n{}", self.transcript());
        self
    }

    /// The last line of a run that found everything as it should be.
    #[track_caller]
    pub(crate) fn changes_nothing(self) -> Self {
        let says = self.stdout.contains(" unchanged") && !self.stdout.contains(" changed");
        assert!(says, "\n{}", self.transcript());
        self
    }

    /// The `--json` document.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in\n{}", self.transcript()))
    }

    fn transcript(&self) -> String {
        let mut text = format!("exit code {}\n", self.code);
        for (name, stream) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            write!(text, "--- {name}\n{stream}").expect("writing to a string succeeds");
        }
        text
    }
}

/// A folder with an executable `mix` in it, to be put first on PATH: a stand-in that records how it was called.
pub(crate) fn stand_in_mix(folder: &Path, script: &str) -> PathBuf {
    stand_in(folder, "mix", script)
}

/// The same of any program.
pub(crate) fn stand_in(folder: &Path, program: &str, script: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let bin = folder.join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    let path = bin.join(program);
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    bin
}

/// This PATH with a folder in front.
pub(crate) fn path_with(folder: &Path) -> String {
    format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default())
}

/// A copy of what the tool reads of the project, to be spoiled by a test.
pub(crate) fn project_copy(folder: &Path) -> PathBuf {
    let copy = folder.join("project");
    for part in ["migrations", "singularity_app/priv/repo/migrations"] {
        let target = copy.join(part);
        std::fs::create_dir_all(&target).unwrap();
        for entry in project().join(part).read_dir().unwrap() {
            let path = entry.unwrap().path();
            std::fs::copy(&path, target.join(path.file_name().unwrap())).unwrap();
        }
    }
    for file in ["singularity_app/mix.exs", "singularity_app/priv/repo/structure.sql"] {
        std::fs::copy(project().join(file), copy.join(file)).unwrap();
    }
    copy
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn clean(command: &mut Command) {
    for name in [
        "DATABASE_URL",
        "MIX_ENV",
        "NO_COLOR",
        "PGHOST",
        "PGUSER",
        "PGPASSWORD",
        "PGDATABASE",
        "PGPORT",
        "PGOPTIONS",
        "PGPASSFILE",
        "PGSSLMODE",
        "PGSSLROOTCERT",
    ] {
        command.env_remove(name);
    }
}
