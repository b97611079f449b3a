//! The shape of the house: crates depend downwards only, files of a crate import each other in no ring, and no file is
//! longer than what one reads in one go.

use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

use serde::Deserialize;
use terminal::Failure;
use xshell::{Shell, cmd};

use super::imports::{self, Ring};
use super::modules::{Files, ModuleError};

/// The crates from the ground up, each with those that it may depend on. Tests may use what they like.
const FLOORS: &[(&str, &[&str])] = &[
    ("terminal", &[]),
    ("transcript", &["terminal"]),
    ("database", &["terminal"]),
    ("corpus", &["terminal", "database"]),
    ("ledger", &["terminal", "database"]),
    ("relayout", &["terminal", "database", "ledger"]),
    ("db_service", &["terminal", "database", "ledger", "relayout"]),
    ("dev_server", &["terminal"]),
    ("bench", &["terminal", "database", "corpus", "ledger", "relayout", "db_service", "dev_server"]),
    ("xtask", &["terminal", "database", "corpus", "ledger", "relayout", "db_service", "dev_server", "bench"]),
];

/// Lines that a file may have without saying why.
const LONGEST: usize = 300;

/// How the reason for a longer file begins, and in how many first lines it stands.
const REASON: (&str, usize) = ("//! Long because", 15);

/// Something that is out of shape.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    UnknownCrate(String),
    Upwards { from: String, to: String },
    Ring(Ring),
    Long { file: PathBuf, lines: usize },
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum HouseError {
    #[error("cannot list the crates")]
    Metadata(#[from] xshell::Error),
    #[error("cannot read the list of crates")]
    Json(#[from] serde_json::Error),
    #[error("cannot read `{}`", .file.display())]
    File {
        file: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error(transparent)]
    Module(#[from] ModuleError),
}

impl Failure for HouseError {
    fn hint(&self) -> Option<String> {
        None
    }
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    dependencies: Vec<Dependency>,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    /// None for a normal one.
    kind: Option<String>,
    /// Of those in the workspace.
    path: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    kind: Vec<String>,
    src_path: PathBuf,
}

/// What is out of shape in the workspace at `root`.
pub(super) fn faults(root: &Path) -> Result<Vec<Fault>, HouseError> {
    let shell = Shell::new()?;
    shell.change_dir(root);
    let metadata = cmd!(shell, "cargo metadata --offline --no-deps --format-version 1").quiet().read()?;
    let Metadata { packages } = serde_json::from_str(&metadata)?;
    let mut faults = upwards(&packages);
    for package in &packages {
        let mut files = Files::new();
        let folder = package.manifest_path.parent().unwrap_or(root);
        read(folder, root, &mut files).map_err(|(file, source)| HouseError::File { file, source })?;
        for target in package.targets.iter().filter(|target| !target.is_for_tests()) {
            let root = target.src_path.strip_prefix(root).unwrap_or(&target.src_path);
            faults.extend(imports::rings(root, &files)?.into_iter().map(Fault::Ring));
        }
        faults.extend(too_long(&files));
    }
    Ok(faults)
}

impl Target {
    fn is_for_tests(&self) -> bool {
        self.kind.iter().any(|kind| ["test", "bench", "example"].contains(&kind.as_str()))
    }
}

fn upwards(packages: &[Package]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for Package { name, dependencies, .. } in packages {
        let Some((_, lower)) = FLOORS.iter().find(|(floor, _)| floor == name) else {
            faults.push(Fault::UnknownCrate(name.clone()));
            continue;
        };
        let normal = dependencies.iter().filter(|dependency| dependency.kind.is_none() && dependency.path.is_some());
        for Dependency { name: to, .. } in normal.filter(|dependency| !lower.contains(&dependency.name.as_str())) {
            faults.push(Fault::Upwards { from: name.clone(), to: to.clone() });
        }
    }
    faults
}

fn too_long(files: &Files) -> Vec<Fault> {
    let (reason, within) = REASON;
    let is_long = |text: &str| {
        let lines = text.lines().count();
        (lines > LONGEST && !text.lines().take(within).any(|line| line.starts_with(reason))).then_some(lines)
    };
    files
        .iter()
        .filter_map(|(file, text)| is_long(text).map(|lines| Fault::Long { file: file.clone(), lines }))
        .collect()
}

/// All Rust files in a folder, by their paths from `root`.
fn read(folder: &Path, root: &Path, files: &mut Files) -> Result<(), (PathBuf, io::Error)> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| (path, source)
    };
    for entry in fs::read_dir(folder).map_err(failed(folder))? {
        let path = entry.map_err(failed(folder))?.path();
        if path.is_dir() {
            read(&path, root, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).map_err(failed(&path))?;
            files.insert(path.strip_prefix(root).unwrap_or(&path).to_owned(), text);
        }
    }
    Ok(())
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownCrate(name) => write!(f, "crate `{name}` has no place in the order of crates"),
            Self::Upwards { from, to } => write!(f, "crate `{from}` must not depend on `{to}`"),
            Self::Ring(ring) => ring.fmt(f),
            Self::Long { file, lines } => write!(
                f,
                "`{}` has {lines} lines, more than {LONGEST}, and no `{}` in its first {}",
                file.display(),
                REASON.0,
                REASON.1
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, dependencies: &str) -> Package {
        let json =
            format!(r#"{{"name": "{name}", "manifest_path": "", "targets": [], "dependencies": {dependencies}}}"#);
        serde_json::from_str(&json).unwrap()
    }

    #[test]
    fn a_crate_depends_on_lower_ones_only() {
        let on = |to: &str, kind: &str| format!(r#"[{{"name": "{to}", "kind": {kind}, "path": "/somewhere"}}]"#);
        let packages = [
            package("ledger", &on("relayout", "null")),
            package("relayout", &on("ledger", "null")),
            package("terminal", &on("xtask", r#""dev""#)),
            package("dev_server", r#"[{"name": "serde", "kind": null, "path": null}]"#),
            package("attic", "[]"),
        ];
        let faults: Vec<String> = upwards(&packages).iter().map(ToString::to_string).collect();
        assert_eq!(
            faults,
            ["crate `ledger` must not depend on `relayout`", "crate `attic` has no place in the order of crates"]
        );
    }

    #[test]
    fn the_order_of_crates_is_one() {
        for (at, (name, lower)) in FLOORS.iter().enumerate() {
            let is_below = |lower: &&str| FLOORS[..at].iter().any(|(floor, _)| floor == lower);
            assert!(lower.iter().all(is_below), "{name} depends on what is above it");
        }
    }

    #[test]
    fn a_long_file_says_why() {
        let file =
            |head: &str, lines| (PathBuf::from(format!("{lines}.rs")), format!("{head}\n{}", "\n".repeat(lines - 1)));
        let short = file("//! Short.", LONGEST);
        let reasoned = file("//! A table.\n//!\n//! Long because it is one.", LONGEST + 2);
        let long = file("//! Short.\n// Long because it grew.", LONGEST + 1);
        let lines = long.1.lines().count();
        let faults = too_long(&Files::from([short, reasoned, long]));
        assert_eq!(faults, [Fault::Long { file: format!("{}.rs", LONGEST + 1).into(), lines }]);
    }

    #[test]
    fn a_workspace_is_read_with_all_its_crates() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let write = |file: &str, text: &str| {
            fs::create_dir_all(root.join(file).parent().unwrap()).unwrap();
            fs::write(root.join(file), text).unwrap();
        };
        write("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"ledger\", \"relayout\"]");
        write(
            "ledger/Cargo.toml",
            "[package]\nname = \"ledger\"\n[dependencies]\nrelayout = { path = \"../relayout\" }",
        );
        write("ledger/src/main.rs", "mod a;\nmod b;\nfn main() { a::first(); }");
        write("ledger/src/a.rs", "pub fn first() { crate::b::second(); }");
        write("ledger/src/b.rs", "use crate::a;\n\npub fn second() { a::first(); }");
        write("relayout/Cargo.toml", "[package]\nname = \"relayout\"");
        write("relayout/src/lib.rs", "");
        // Rings are allowed in tests.
        write("relayout/tests/suite.rs", "mod a;\nfn one() { a::two(); }");
        write("relayout/tests/a.rs", "pub fn two() { super::one(); }");
        let faults: Vec<String> = faults(&root).unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(
            faults,
            [
                "crate `ledger` must not depend on `relayout`",
                "2 files import each other: `ledger/src/a.rs`, `ledger/src/b.rs`\n  \
                 ledger/src/a.rs:1 uses `crate::b::second`, which is in `ledger/src/b.rs`\n  \
                 ledger/src/b.rs:3 uses `a::first`, which is in `ledger/src/a.rs`"
            ]
        );
    }
}
