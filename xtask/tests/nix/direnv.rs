//! direnv, with Nix and without.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use crate::Test;
use crate::checkout::{Checkout, Said};

pub(crate) const TESTS: &[Test] = &[
    ("direnv_loads_the_shell", "nix direnv", direnv_loads_the_shell),
    ("direnv_without_nix_says_what_to_do", "direnv", direnv_without_nix_says_what_to_do),
];

/// `nix` with the stand-in for nixpkgs, which the `.envrc` knows nothing of, first on PATH.
fn direnv(checkout: &Checkout, path: &str) -> Said {
    let home = checkout.folder.join("home");
    fs::create_dir_all(&home).unwrap();
    let run = |arguments: &[&str]| {
        // The end of it, should something keep its pipe open.
        let mut direnv = Command::new("timeout");
        direnv.args(["600", "direnv"]).current_dir(&checkout.project).args(arguments);
        Checkout::clean(&mut direnv);
        direnv.env("HOME", &home).env("PATH", path).env_remove("XDG_CONFIG_HOME").env_remove("XDG_DATA_HOME");
        Said::of(&direnv.output().unwrap())
    };
    run(&["allow", "."]).succeeds();
    run(&["exec", ".", "sh", "-c", "command -v singularity-enter; printf 'stdenv %s\\n' \"${machinePath:+loaded}\""])
}

fn direnv_loads_the_shell() {
    let checkout = Checkout::get();
    // So that direnv is the one that starts it.
    checkout.reset();
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
    for program in
        ["bash", "sh", "timeout", "direnv", "cat", "mkdir", "dirname", "readlink", "sed", "tr", "cut", "env", "grep"]
    {
        let found = Said::of(&Command::new("sh").args(["-c", &format!("command -v {program}")]).output().unwrap()).text;
        let _ = std::os::unix::fs::symlink(found.trim(), bin.join(program));
    }
    let said = direnv(checkout, &bin.display().to_string()).succeeds();
    assert!(said.errors.contains("Nix is not installed"), "{}", said.errors);
    assert!(said.text.contains("stdenv \n"), "{}\n{}", said.text, said.errors);
}
