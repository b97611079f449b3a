//! The flake's outputs, and its shell, entered.

use std::fs;

use serde_json::Value;

use crate::checkout::{Checkout, Said, target};
use crate::{Test, servers_of_debian};

pub(crate) const TESTS: &[Test] = &[
    ("the_flake_evaluates", "nix", the_flake_evaluates),
    ("the_shell_brings_databases_and_no_schema", "nix", the_shell_brings_databases_and_no_schema),
    ("two_terminals_enter_at_once", "nix", two_terminals_enter_at_once),
    ("a_shell_without_a_server_is_a_shell", "nix !postgresql", a_shell_without_a_server_is_a_shell),
    ("db_setup_runs_in_the_shell", "nix", db_setup_runs_in_the_shell),
    ("the_layers_pass_on_a_server_of_the_build", "nix", the_layers_pass_on_a_server_of_the_build),
];

fn the_flake_evaluates() {
    let checkout = Checkout::get();
    Said::of(&checkout.nix(&["flake", "check", "--no-build"]).output().unwrap()).succeeds();
}

const DATABASES: &str = "SELECT count(*) FROM pg_database WHERE datname LIKE 'singularity%'";
/// Whatever has a name of its own and came with no extension, nor lives in an extension's schema.
const RELATIONS: &str = "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
    WHERE relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND nspname !~ '^pg_|^information_schema'
      AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid IN (c.oid, n.oid) AND d.deptype = 'e')";

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

/// Where Debian's packages put one, in the container, whose it is, it cannot be started meanwhile.
fn without_own_postgresql(work: impl FnOnce() -> Said) -> Said {
    let programs = servers_of_debian();
    for program in &programs {
        fs::rename(program, program.with_extension("aside")).unwrap();
    }
    let said = work();
    for program in &programs {
        fs::rename(program.with_extension("aside"), program).unwrap();
    }
    said
}

fn a_shell_without_a_server_is_a_shell() {
    let checkout = Checkout::get();
    checkout.reset();
    let path = checkout.project.join("nix/stub/machine.json");
    let machine = fs::read_to_string(&path).unwrap();
    let mut changed: Value = serde_json::from_str(&machine).unwrap();
    changed["postgresql"] = "/nowhere".into();
    fs::write(&path, changed.to_string()).unwrap();
    let said = without_own_postgresql(|| checkout.develop(&["echo", "entered"]));
    fs::write(&path, machine).unwrap();
    let said = said.succeeds();
    assert_eq!(said.text.trim(), "entered");
    assert_eq!(said.hook(), ["singularity: the shell is there, its databases are not"], "{}", said.errors);
    assert!(said.errors.contains("hint: "), "{}", said.errors);
}

fn db_setup_runs_in_the_shell() {
    let checkout = Checkout::get();
    let target = format!("CARGO_TARGET_DIR={}", target().display());
    // As the stand-in builds, so that what is built serves both.
    let xtask = ["env", &target, "CARGO_INCREMENTAL=0", "cargo", "xtask", "db-setup"];
    checkout.develop(&xtask).succeeds();
    let again = checkout.develop(&[&xtask[..], &["--dry-run"]].concat());
    assert_eq!(again.code, Some(0), "there is still something to do: {}\n{}", again.text, again.errors);
}

/// All checks but those that `cargo xtask ci` and the other tests make anyway, and Ecto's, whose packages are fetched.
fn the_layers_pass_on_a_server_of_the_build() {
    let system = format!("{}-{}", std::env::consts::ARCH, if cfg!(target_os = "macos") { "darwin" } else { "linux" });
    let checks = ["bootstrap", "sqlx", "structure", "format"].map(|check| format!(".#checks.{system}.{check}"));
    let mut nix = Checkout::get().nix(&["build", "--no-link", "--print-build-logs"]);
    Said::of(&nix.args(checks).output().unwrap()).succeeds();
}
