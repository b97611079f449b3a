//! A checkout of the project for Nix to work on, and what programs say there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use crate::project;

/// A checkout of what is committed or staged, in a folder with a space in its name, as a worktree; with a server of its
/// own.
pub(crate) struct Checkout {
    /// Holds everything.
    pub(crate) folder: PathBuf,
    pub(crate) project: PathBuf,
}

/// Where cargo works for the stand-in, so that the next run finds what is built.
pub(crate) fn target() -> PathBuf {
    std::env::var_os(TARGET).map_or_else(|| project().join("target/nix"), PathBuf::from)
}

/// Libraries that were built for the tests serve here as well. Links do, since cargo writes no library anew that it has.
fn seed_target() {
    let built = project().join("target/debug");
    let seeded = target().join("debug");
    if is_in_container() || seeded.exists() {
        return;
    }
    fs::create_dir_all(&seeded).unwrap();
    for part in ["deps", "build", ".fingerprint"] {
        let mut copy = Command::new("cp");
        copy.args(["--archive", "--link"]).args([built.join(part), seeded.join(part)]);
        // On a system whose cp cannot do that, all is built.
        let _ = copy.output();
    }
}

/// Names another folder than the usual one, in the container.
pub(crate) const TARGET: &str = "NIX_TEST_TARGET";

pub(crate) fn is_in_container() -> bool {
    std::env::var_os(TARGET).is_some()
}

/// Nix 2.8 does not; 2.26 does.
fn takes_spaces() -> bool {
    let version = Command::new("nix").arg("--version").output().map(|output| Said::of(&output));
    let version = version.map(|said| said.text).unwrap_or_default();
    let minor = version.trim().rsplit(' ').next().and_then(|it| it.split('.').nth(1)?.parse::<u32>().ok());
    minor.is_some_and(|minor| minor >= 26)
}

static CHECKOUT: OnceLock<Checkout> = OnceLock::new();

impl Checkout {
    pub(crate) fn get() -> &'static Self {
        CHECKOUT.get_or_init(|| {
            // Nix could not read a flake from a path with spaces at first.
            let gap = if takes_spaces() { ' ' } else { '-' };
            let folder = std::env::temp_dir().join(format!("singularity{gap}nix{gap}{}", std::process::id()));
            let (clone, worktree) = (folder.join("clone"), folder.join(format!("work{gap}tree")));
            fs::create_dir_all(&folder).unwrap();
            let git = |folder: &Path, arguments: &[&str]| {
                let mut git = Command::new("git");
                git.current_dir(folder).args(arguments).stdin(Stdio::null());
                Said::of(&git.output().unwrap()).succeeds().text
            };
            // What the developer has in the index counts, not only what is committed.
            let tree = git(project(), &["write-tree"]);
            let commit = git(
                project(),
                &["-c", "user.name=test", "-c", "user.email=test@localhost", "commit-tree", "-m", "test", tree.trim()],
            );
            git(&folder, &["clone", "--quiet", "--no-checkout", "--shared", &project().display().to_string(), "clone"]);
            git(&clone, &["worktree", "add", "--quiet", "--detach", &worktree.display().to_string(), commit.trim()]);
            seed_target();
            let machine = Command::new(worktree.join("nix/stub/machine.sh")).arg(target()).output().unwrap();
            Said::of(&machine).succeeds();
            Self { folder, project: worktree }
        })
    }

    /// `nix` in the project, with the stand-in for nixpkgs, as root without a daemon too.
    pub(crate) fn nix(&self, arguments: &[&str]) -> Command {
        let mut nix = Command::new("nix");
        nix.current_dir(&self.project).args(arguments);
        let stub = format!("path:{}/nix/stub", self.project.display()).replace(' ', "%20");
        nix.args(["--override-input", "nixpkgs", &stub]);
        Self::clean(&mut nix);
        nix
    }

    pub(crate) fn clean(command: &mut Command) {
        let settings = "experimental-features = nix-command flakes\nsandbox = false\nsubstituters =\nbuild-users-group =\nwarn-dirty = false";
        command.env("NIX_CONFIG", settings).env_remove("DATABASE_URL").stdin(Stdio::null());
    }

    /// Enters the shell and runs a command there.
    pub(crate) fn develop(&self, command: &[&str]) -> Said {
        let mut nix = self.nix(&["develop"]);
        nix.arg("--command").args(command);
        Said::of(&nix.output().unwrap())
    }

    pub(crate) fn xtask(&self, arguments: &[&str]) -> Said {
        let mut xtask = Command::new(env!("CARGO_BIN_EXE_xtask"));
        xtask.arg("--project").arg(&self.project).args(arguments).env_remove("DATABASE_URL");
        Said::of(&xtask.output().unwrap())
    }

    /// No server, no data.
    pub(crate) fn reset(&self) {
        self.xtask(&["db-server", "stop"]);
        let _ = fs::remove_dir_all(self.project.join(".dev-db"));
    }

    /// If there is one.
    pub(crate) fn remove() {
        if let Some(checkout) = CHECKOUT.get() {
            checkout.xtask(&["db-server", "stop"]);
            let _ = fs::remove_dir_all(&checkout.folder);
        }
    }
}

/// What a program printed, on both streams.
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) text: String,
    pub(crate) errors: String,
}

impl Said {
    pub(crate) fn of(output: &Output) -> Self {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code(), text: text(&output.stdout), errors: text(&output.stderr) }
    }

    #[track_caller]
    pub(crate) fn succeeds(self) -> Self {
        assert_eq!(self.code, Some(0), "{}\n{}", self.text, self.errors);
        self
    }

    /// Whether the shell hook found everything in its place.
    pub(crate) fn changed_nothing(&self) -> bool {
        self.hook().iter().all(|line| line.contains("unchanged") && !line.contains(" changed"))
    }

    /// The lines that the shell hook printed.
    pub(crate) fn hook(&self) -> Vec<&str> {
        self.errors.lines().filter(|line| line.starts_with("singularity: ")).collect()
    }
}
