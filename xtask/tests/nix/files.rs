//! What the flake's files say, read as text.

use std::fs;

use serde_json::Value;

use crate::{Test, project};

pub(crate) const TESTS: &[Test] = &[
    ("what_the_flake_takes_from_nixpkgs_is_listed_in_one_place", "", what_the_flake_takes_is_listed_in_one_place),
    ("the_flake_names_no_schema", "", the_flake_names_no_schema),
    ("the_lock_pins_every_input", "", the_lock_pins_every_input),
];

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
