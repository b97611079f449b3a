//! The flake: its text, and what Nix makes of it with the stand-in for nixpkgs in `nix/stub`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output, Stdio};
use std::sync::OnceLock;

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use serde_json::Value;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Each is a build, a server or both; and they share a checkout.
    arguments.test_threads = Some(1);
    let tests: [(&str, &str, fn()); 11] = [
        ("what_the_flake_takes_from_nixpkgs_is_listed_in_one_place", "", what_the_flake_takes_is_listed_in_one_place),
        ("the_flake_names_no_schema", "", the_flake_names_no_schema),
        ("the_lock_pins_every_input", "", the_lock_pins_every_input),
        ("the_flake_evaluates", "nix", the_flake_evaluates),
        ("the_shell_brings_databases_and_no_schema", "nix", the_shell_brings_databases_and_no_schema),
        ("two_terminals_enter_at_once", "nix", two_terminals_enter_at_once),
        ("a_shell_without_a_server_is_a_shell", "nix", a_shell_without_a_server_is_a_shell),
        ("db_setup_runs_in_the_shell", "nix", db_setup_runs_in_the_shell),
        ("the_layers_pass_on_a_server_of_the_build", "nix", the_layers_pass_on_a_server_of_the_build),
        ("direnv_loads_the_shell", "nix direnv", direnv_loads_the_shell),
        ("direnv_without_nix_says_what_to_do", "direnv", direnv_without_nix_says_what_to_do),
    ];
    let trials = tests.into_iter().map(|(name, needs, test)| {
        Trial::ignorable_test(format!("nix::{name}"), move || {
            if let Some(missing) = needs.split_whitespace().find(|program| !is_on_path(program)) {
                return Ok(Completion::ignored_with(format!("{missing} is not installed")));
            }
            std::panic::catch_unwind(test).map(|()| Completion::Completed).map_err(|_| Failed::without_message())
        })
    });
    let conclusion = libtest_mimic::run(&arguments, trials.collect());
    if let Some(checkout) = CHECKOUT.get() {
        checkout.remove();
    }
    conclusion.exit_code()
}

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn is_on_path(program: &str) -> bool {
    std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).any(|folder| folder.join(program).is_file())
}

fn text(path: &str) -> String {
    fs::read_to_string(project().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The words behind a prefix: `words("a.b a.c", "a.")` is `b`, `c`.
fn words<'a>(text: &'a str, prefix: &str) -> Vec<&'a str> {
    let is_word = |character: char| character.is_alphanumeric() || character == '-' || character == '_';
    let starts = text.match_indices(prefix).filter(|(at, _)| !text[..*at].ends_with(is_word));
    let rest = starts.map(|(at, _)| &text[at + prefix.len()..]);
    rest.map(|rest| rest.split(|character| !is_word(character)).next().unwrap_or_default()).collect()
}

fn what_the_flake_takes_is_listed_in_one_place() {
    let list = text("nix/nixpkgs.nix");
    let mut listed = Vec::new();
    let code = list.lines().filter(|line| !line.trim_start().starts_with('#'));
    for line in code.filter(|line| line.contains("(pkgs") || line.contains("pkgs.")) {
        let (code, note) = line.split_once('#').unwrap_or_else(|| panic!("no branches are named in `{line}`"));
        assert!(!note.trim().is_empty(), "no branches are named in `{line}`");
        let code = code.trim().trim_end_matches(';');
        let name = match code.strip_prefix("inherit ") {
            Some(inherited) => inherited.rsplit(' ').next().unwrap(),
            None => code.split(' ').next().unwrap(),
        };
        listed.push(name.to_owned());
    }
    listed.sort();
    listed.dedup();
    let parts = ["nix/default.nix", "nix/rust.nix", "nix/shell.nix", "nix/checks.nix", "nix/hex.nix"].map(text);
    let mut used: Vec<String> = Vec::new();
    for part in &parts {
        assert!(
            words(part, "pkgs.").is_empty(),
            "an attribute is taken from nixpkgs directly: {:?}",
            words(part, "pkgs.")
        );
        used.extend(words(part, "from.").into_iter().map(str::to_owned));
        for inherited in part.lines().filter_map(|line| line.trim().strip_prefix("inherit (from) ")) {
            used.extend(inherited.trim_end_matches(';').split(' ').map(str::to_owned));
        }
    }
    used.sort();
    used.dedup();
    assert_eq!(used, listed, "what the flake uses, and what `nix/nixpkgs.nix` lists");
    let module = text("nix/module.nix");
    for name in words(&module, "pkgs.").into_iter().chain(words(&module, "extensions.")) {
        assert!(list.contains(name), "`nix/module.nix` uses `{name}`, which `nix/nixpkgs.nix` does not list");
    }
}

fn the_flake_names_no_schema() {
    for path in ["flake.nix", "nix/default.nix", "nix/shell.nix", "nix/module.nix", "nix/rust.nix"] {
        let text = text(path);
        for word in ["CREATE ", "ALTER ", "INSERT ", "psql", "structure.sql", "ecto.migrate", "migrations/bin"] {
            assert!(!text.contains(word), "{path} contains `{word}`");
        }
    }
    assert!(text("nix/shell.nix").contains("db-setup --layers bootstrap --server local"));
}

fn the_lock_pins_every_input() {
    let lock: Value = serde_json::from_str(&text("flake.lock")).unwrap();
    let nodes = &lock["nodes"];
    let inputs = nodes["root"]["inputs"].as_object().unwrap();
    let flake = text("flake.nix");
    for name in inputs.keys() {
        assert!(flake.contains(&format!("{name}.url")) || flake.contains(&format!("{name} = {{")), "{name}");
        let locked = &nodes[name]["locked"];
        assert_eq!(locked["rev"].as_str().unwrap().len(), 40, "{name}");
        assert!(locked["narHash"].as_str().unwrap().starts_with("sha256-"), "{name}");
    }
    assert_eq!(inputs.keys().collect::<Vec<_>>(), ["nixpkgs", "rust-overlay"]);
    assert_eq!(nodes["nixpkgs"]["original"]["ref"], "nixos-25.11");
    assert_eq!(nodes["rust-overlay"]["inputs"]["nixpkgs"], serde_json::json!(["nixpkgs"]));
}

/// A checkout of what is committed or staged, in a folder with a space in its name, as a worktree; with a server of its
/// own.
struct Checkout {
    /// Holds everything.
    folder: PathBuf,
    project: PathBuf,
}

/// Where cargo works for the stand-in, so that the next run finds what is built.
fn target() -> PathBuf {
    project().join("target/nix")
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
    fn get() -> &'static Self {
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
            let machine = Command::new(worktree.join("nix/stub/machine.sh")).arg(target()).output().unwrap();
            Said::of(&machine).succeeds();
            Self { folder, project: worktree }
        })
    }

    /// `nix` in the project, with the stand-in for nixpkgs, as root without a daemon too.
    fn nix(&self, arguments: &[&str]) -> Command {
        let mut nix = Command::new("nix");
        nix.current_dir(&self.project).args(arguments);
        let stub = format!("path:{}/nix/stub", self.project.display()).replace(' ', "%20");
        nix.args(["--override-input", "nixpkgs", &stub]);
        Self::clean(&mut nix);
        nix
    }

    fn clean(command: &mut Command) {
        let settings = "experimental-features = nix-command flakes\nsandbox = false\nsubstituters =\nbuild-users-group =\nwarn-dirty = false";
        command.env("NIX_CONFIG", settings).env_remove("DATABASE_URL").stdin(Stdio::null());
    }

    /// Enters the shell and runs a command there.
    fn develop(&self, command: &[&str]) -> Said {
        let mut nix = self.nix(&["develop"]);
        nix.arg("--command").args(command);
        Said::of(&nix.output().unwrap())
    }

    fn xtask(&self, arguments: &[&str]) -> Said {
        let mut xtask = Command::new(env!("CARGO_BIN_EXE_xtask"));
        xtask.arg("--project").arg(&self.project).args(arguments).env_remove("DATABASE_URL");
        Said::of(&xtask.output().unwrap())
    }

    /// No server, no data.
    fn reset(&self) {
        self.xtask(&["db-server", "stop"]);
        let _ = fs::remove_dir_all(self.project.join(".dev-db"));
    }

    fn remove(&self) {
        self.xtask(&["db-server", "stop"]);
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// What a program printed, on both streams.
struct Said {
    code: Option<i32>,
    text: String,
    errors: String,
}

impl Said {
    fn of(output: &Output) -> Self {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code(), text: text(&output.stdout), errors: text(&output.stderr) }
    }

    #[track_caller]
    fn succeeds(self) -> Self {
        assert_eq!(self.code, Some(0), "{}\n{}", self.text, self.errors);
        self
    }

    /// Whether the shell hook found everything in its place.
    fn changed_nothing(&self) -> bool {
        self.hook().iter().all(|line| line.contains("unchanged") && !line.contains(" changed"))
    }

    /// The lines that the shell hook printed.
    fn hook(&self) -> Vec<&str> {
        self.errors.lines().filter(|line| line.starts_with("singularity: ")).collect()
    }
}

fn the_flake_evaluates() {
    let checkout = Checkout::get();
    Said::of(&checkout.nix(&["flake", "check", "--no-build"]).output().unwrap()).succeeds();
}

const DATABASES: &str = "SELECT count(*) FROM pg_database WHERE datname LIKE 'singularity%'";
const RELATIONS: &str = "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
    WHERE nspname !~ '^pg_|^information_schema' AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')";

fn the_shell_brings_databases_and_no_schema() {
    let checkout = Checkout::get();
    checkout.reset();
    let first = checkout.develop(&["true"]).succeeds();
    assert_eq!(first.hook().len(), 1, "{}", first.errors);
    assert!(first.hook()[0].contains("changed"), "{}", first.errors);
    let query = |sql: &str| {
        let url = checkout.xtask(&["db-server", "url"]).succeeds().text;
        checkout
            .develop(&["psql", "--no-psqlrc", "--tuples-only", "--no-align", "--command", sql, url.trim()])
            .succeeds()
            .text
    };
    assert_eq!(query(DATABASES).trim(), "3");
    assert_eq!(query(RELATIONS).trim(), "0", "the shell has made something in the database");
    let second = checkout.develop(&["true"]).succeeds();
    assert_eq!(second.hook().len(), 1, "{}", second.errors);
    assert!(second.changed_nothing(), "{}", second.errors);
    let with_url = {
        let mut nix = checkout.nix(&["develop"]);
        nix.args(["--command", "true"]).env("DATABASE_URL", "postgres://localhost:1/other");
        Said::of(&nix.output().unwrap()).succeeds()
    };
    assert!(with_url.hook()[0].contains("DATABASE_URL is set"), "{}", with_url.errors);
    // After a restart of the machine only the server is missing.
    checkout.xtask(&["db-server", "stop"]).succeeds();
    let started = checkout.develop(&["true"]).succeeds();
    assert!(started.hook()[0].contains("1 changed"), "{}", started.errors);
}

fn two_terminals_enter_at_once() {
    let checkout = Checkout::get();
    checkout.reset();
    let terminals: Vec<_> = (0..2).map(|_| std::thread::spawn(|| Checkout::get().develop(&["true"]))).collect();
    for terminal in terminals {
        let said = terminal.join().unwrap().succeeds();
        assert_eq!(said.hook().len(), 1, "{}", said.errors);
    }
    let third = checkout.develop(&["true"]).succeeds();
    assert!(third.changed_nothing(), "{}", third.errors);
}

fn a_shell_without_a_server_is_a_shell() {
    let checkout = Checkout::get();
    checkout.reset();
    let path = checkout.project.join("nix/stub/machine.json");
    let machine = fs::read_to_string(&path).unwrap();
    let mut changed: Value = serde_json::from_str(&machine).unwrap();
    changed["postgresql"] = "/nowhere".into();
    fs::write(&path, changed.to_string()).unwrap();
    let said = checkout.develop(&["echo", "entered"]);
    fs::write(&path, machine).unwrap();
    let said = said.succeeds();
    assert_eq!(said.text.trim(), "entered");
    assert_eq!(said.hook(), ["singularity: the shell is there, its databases are not"], "{}", said.errors);
    assert!(said.errors.contains("hint: "), "{}", said.errors);
}

fn db_setup_runs_in_the_shell() {
    let checkout = Checkout::get();
    let target = format!("CARGO_TARGET_DIR={}", target().display());
    checkout.develop(&["env", &target, "cargo", "xtask", "db-setup"]).succeeds();
    let again = checkout.develop(&["env", &target, "cargo", "xtask", "db-setup", "--dry-run"]);
    assert_eq!(again.code, Some(0), "there is still something to do: {}\n{}", again.text, again.errors);
}

/// All checks but those that `cargo xtask ci` and the other tests make anyway, and Ecto's, whose packages are fetched.
fn the_layers_pass_on_a_server_of_the_build() {
    let system = format!("{}-{}", std::env::consts::ARCH, if cfg!(target_os = "macos") { "darwin" } else { "linux" });
    let checks = ["bootstrap", "sqlx", "structure", "format"].map(|check| format!(".#checks.{system}.{check}"));
    let mut nix = Checkout::get().nix(&["build", "--no-link", "--print-build-logs"]);
    Said::of(&nix.args(checks).output().unwrap()).succeeds();
}

/// `nix` with the stand-in for nixpkgs, which the `.envrc` knows nothing of, first on PATH.
fn direnv(checkout: &Checkout, path: &str) -> Said {
    let home = checkout.folder.join("home");
    fs::create_dir_all(&home).unwrap();
    let run = |arguments: &[&str]| {
        let mut direnv = Command::new("direnv");
        direnv.current_dir(&checkout.project).args(arguments);
        Checkout::clean(&mut direnv);
        direnv.env("HOME", &home).env("PATH", path).env_remove("XDG_CONFIG_HOME").env_remove("XDG_DATA_HOME");
        Said::of(&direnv.output().unwrap())
    };
    run(&["allow", "."]).succeeds();
    run(&["exec", ".", "sh", "-c", "command -v singularity-enter; printf 'stdenv %s\\n' \"${machinePath:+loaded}\""])
}

fn direnv_loads_the_shell() {
    let checkout = Checkout::get();
    let bin = checkout.folder.join("bin");
    fs::create_dir_all(&bin).unwrap();
    let stub = format!("path:{}/nix/stub", checkout.project.display()).replace(' ', "%20");
    let real = Said::of(&Command::new("sh").args(["-c", "command -v nix"]).output().unwrap()).text;
    let wrapper = format!(
        "#!/bin/sh\ncase \" $* \" in\n*' print-dev-env '*) exec {0} \"$@\" --override-input nixpkgs '{stub}';;\n*) exec {0} \"$@\";;\nesac\n",
        real.trim()
    );
    fs::write(bin.join("nix"), wrapper).unwrap();
    fs::set_permissions(bin.join("nix"), fs::Permissions::from_mode(0o755)).unwrap();
    let said = direnv(checkout, &format!("{}:{}", bin.display(), std::env::var("PATH").unwrap())).succeeds();
    assert!(said.text.contains("stdenv loaded"), "{}\n{}", said.text, said.errors);
    assert_eq!(said.hook().len(), 1, "{}", said.errors);
}

fn direnv_without_nix_says_what_to_do() {
    let checkout = Checkout::get();
    // Only what direnv itself needs.
    let bin = checkout.folder.join("bin without nix");
    fs::create_dir_all(&bin).unwrap();
    for program in ["bash", "sh", "direnv", "cat", "mkdir", "dirname", "readlink", "sed", "tr", "cut", "env", "grep"] {
        let found = Said::of(&Command::new("sh").args(["-c", &format!("command -v {program}")]).output().unwrap()).text;
        let _ = std::os::unix::fs::symlink(found.trim(), bin.join(program));
    }
    let said = direnv(checkout, &bin.display().to_string()).succeeds();
    assert!(said.errors.contains("Nix is not installed"), "{}", said.errors);
    assert!(said.text.contains("stdenv \n"), "{}\n{}", said.text, said.errors);
}
