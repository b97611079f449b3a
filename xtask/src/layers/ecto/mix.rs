//! Running mix: dependencies and compilation once a run, then the migrations of each database.

use std::path::{Path, PathBuf};

use terminal::console::Console;
use terminal::variables::is_on_path;
use tokio::process::Command;
use tokio::sync::OnceCell;

use crate::process::{self, ProcessError};
use crate::target::Target;

/// The Mix project, and mix itself if it is on PATH.
#[derive(Debug)]
pub(crate) struct Mix {
    app: PathBuf,
    is_installed: bool,
    /// Two databases migrate side by side; the project is compiled once.
    prepared: OnceCell<()>,
}

impl Mix {
    pub(crate) fn new(app: PathBuf) -> Self {
        Self { app, is_installed: is_on_path("mix"), prepared: OnceCell::new() }
    }

    pub(crate) fn is_installed(&self) -> bool {
        self.is_installed
    }

    /// What `mix ecto.migrate` needs: packages, compiled.
    pub(crate) async fn prepare(&self, target: &Target, console: &Console) -> Result<(), ProcessError> {
        self.prepared.get_or_try_init(|| self.compile(target, console)).await.copied()
    }

    /// `mix ecto.migrate`.
    pub(crate) async fn migrate(&self, target: &Target, console: &Console) -> Result<(), ProcessError> {
        let arguments = ["ecto.migrate", "--no-compile", "--no-deps-check"];
        self.run(&arguments, target, console).await
    }

    /// A release's own command, which knows nothing of this source tree but `DATABASE_URL`.
    pub(crate) async fn run_release(
        &self,
        command: &str,
        target: &Target,
        console: &Console,
    ) -> Result<(), ProcessError> {
        let mut shell = Command::new("sh");
        shell.args(["-c", command]);
        set_environment(&mut shell, target);
        let label = format!("ecto {}", target.name());
        process::run(shell, &program(command), &label, console).await
    }

    async fn compile(&self, target: &Target, console: &Console) -> Result<(), ProcessError> {
        if needs_dependencies(&self.app) {
            self.run(&["local.hex", "--force", "--if-missing"], target, console).await?;
            self.run(&["local.rebar", "--force", "--if-missing"], target, console).await?;
            self.run(&["deps.get"], target, console).await?;
        }
        self.run(&["compile"], target, console).await
    }

    async fn run(&self, arguments: &[&str], target: &Target, console: &Console) -> Result<(), ProcessError> {
        let job = console.job(target.name());
        job.announce(&format!("Running mix {} for `{}`", arguments[0], target.name()));
        let mut mix = Command::new("mix");
        mix.args(arguments).current_dir(&self.app);
        set_environment(&mut mix, target);
        let outcome =
            process::run(mix, &format!("mix {}", arguments.join(" ")), &format!("mix {}", target.name()), console)
                .await;
        drop(job);
        outcome
    }

    #[cfg(test)]
    pub(crate) fn for_test(is_installed: bool) -> Self {
        Self { app: PathBuf::new(), is_installed, prepared: OnceCell::new() }
    }
}

/// The name of Ecto's sessions that work for this tool, by which the next run finds those of one that was killed.
pub(crate) const APPLICATION_NAME: &str = "singularity db-setup";

fn set_environment(command: &mut Command, target: &Target) {
    command.env("DATABASE_URL", target.url.for_ecto()).env("DATABASE_APPLICATION_NAME", APPLICATION_NAME);
}

/// What may be shown of a release's command: its program. What follows may hold a secret, and so may what sets a variable
/// before it.
pub(super) fn program(command: &str) -> String {
    let first = command.split_whitespace().next().unwrap_or_default();
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "._/+-".contains(character);
    if !first.is_empty() && first.chars().all(is_plain) { first.to_owned() } else { "--ecto-command".into() }
}

/// Whether a package of `mix.lock` is not in `deps/` at its locked version.
fn needs_dependencies(app: &Path) -> bool {
    let lock = std::fs::read_to_string(app.join("mix.lock")).unwrap_or_default();
    locked(&lock).any(|(package, version)| {
        let metadata = app.join("deps").join(package).join("hex_metadata.config");
        let wanted = format!("{{<<\"version\">>,<<\"{version}\">>}}");
        !std::fs::read_to_string(metadata).is_ok_and(|metadata| metadata.contains(&wanted))
    })
}

/// The packages and versions of a `mix.lock`: lines of the form `"name": {:hex, :name, "1.2.3", …}`.
fn locked(lock: &str) -> impl Iterator<Item = (&str, &str)> {
    lock.lines().filter_map(|line| {
        let (package, rest) = line.trim().strip_prefix('"')?.split_once("\": {:hex, :")?;
        let version = rest.split('"').nth(1)?;
        Some((package, version))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = r#"%{
  "ecto": {:hex, :ecto, "3.14.0", "2fa6", [:mix], [{:decimal, "~> 3.0", [hex: :decimal]}], "hexpm", "130d"},
  "telemetry": {:hex, :telemetry, "1.4.2", "a0cb", [:rebar3], [], "hexpm", "928f"},
}"#;

    #[test]
    fn a_lock_names_packages_and_versions() {
        assert_eq!(locked(LOCK).collect::<Vec<_>>(), [("ecto", "3.14.0"), ("telemetry", "1.4.2")]);
    }

    #[test]
    fn of_a_command_the_program_is_shown() {
        for (command, shown) in [
            ("bin/singularity eval \"Release.migrate('s3cret')\"", "bin/singularity"),
            ("  true", "true"),
            ("KEY=s3cret bin/app", "--ecto-command"),
            ("\"$(cat s3cret)\" x", "--ecto-command"),
            ("curl;s3cret", "--ecto-command"),
            ("", "--ecto-command"),
        ] {
            assert_eq!(program(command), shown);
        }
    }

    #[test]
    fn dependencies_are_fetched_when_missing_or_of_another_version() {
        let app = tempfile::tempdir().unwrap();
        std::fs::write(app.path().join("mix.lock"), LOCK).unwrap();
        assert!(needs_dependencies(app.path()));
        for (package, version) in [("ecto", "3.14.0"), ("telemetry", "1.4.1")] {
            let folder = app.path().join("deps").join(package);
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join("hex_metadata.config"), format!("{{<<\"version\">>,<<\"{version}\">>}}.\n"))
                .unwrap();
        }
        assert!(needs_dependencies(app.path()), "telemetry has another version");
        std::fs::write(app.path().join("deps/telemetry/hex_metadata.config"), "{<<\"version\">>,<<\"1.4.2\">>}.\n")
            .unwrap();
        assert!(!needs_dependencies(app.path()));
    }
}
