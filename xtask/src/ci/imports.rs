//! Which files of a crate import each other in a ring.
//!
//! A file imports another if its code names something that is defined there, by whatever way the name leads through
//! `use` and re-exports. What it does not name it does not import: a module that a path only leads through, or a child
//! that a parent declares or re-exports.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use petgraph::algo::tarjan_scc;
use petgraph::graphmap::DiGraphMap;

use super::modules::{Crate, Files, Mention, Module, ModuleError, Place};

/// Files that import each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ring {
    files: Vec<PathBuf>,
    /// One for every two of them, the first in the file.
    imports: Vec<Import>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Import {
    from: PathBuf,
    line: usize,
    /// The name, as written.
    name: String,
    to: PathBuf,
}

/// The rings of the crate whose root file is given.
pub(super) fn rings(root: &Path, files: &Files) -> Result<Vec<Ring>, ModuleError> {
    let read = Crate::read(root, files)?;
    let mut imports = BTreeMap::new();
    for import in read.imports() {
        let first = imports.entry((import.from.clone(), import.to.clone())).or_insert_with(|| import.clone());
        if import.line < first.line {
            *first = import;
        }
    }
    let graph: DiGraphMap<&Path, ()> = imports.keys().map(|(from, to)| (from.as_path(), to.as_path())).collect();
    let mut rings: Vec<Ring> = tarjan_scc(&graph)
        .into_iter()
        .filter(|files| files.len() > 1)
        .map(|mut files| {
            files.sort();
            let is_inside = |file: &PathBuf| files.contains(&file.as_path());
            let inside = imports.values().filter(|import| is_inside(&import.from) && is_inside(&import.to));
            let imports = inside.cloned().collect();
            Ring { files: files.into_iter().map(Path::to_owned).collect(), imports }
        })
        .collect();
    rings.sort();
    Ok(rings)
}

/// What a name stands for, and the module that holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    Module(usize),
    /// A type, a function, a trait; or something inside one.
    Item(usize),
}

impl Crate {
    fn imports(&self) -> impl Iterator<Item = Import> {
        self.mentions.iter().flat_map(|mention| {
            let from = &self.modules[mention.module].file;
            self.sources(mention)
                .into_iter()
                .map(|module| &self.modules[module].file)
                .filter(move |to| *to != from)
                .map(|to| Import {
                    from: from.clone(),
                    line: mention.line,
                    name: mention.path.join("::"),
                    to: to.clone(),
                })
        })
    }

    /// The modules that hold what is named.
    fn sources(&self, mention: &Mention) -> Vec<usize> {
        let (path, is_glob) = match mention.path.split_last() {
            Some((last, path)) if last == "*" => (path, true),
            _ => (mention.path.as_slice(), false),
        };
        let mut sources: Vec<usize> = self
            .meanings(mention.module, path, &mut Vec::new())
            .into_iter()
            .filter_map(|meaning| match meaning {
                Meaning::Item(module) => Some(module),
                Meaning::Module(module) => (is_glob && !self.modules[module].items.is_empty()).then_some(module),
            })
            .collect();
        if let (Place::MacroCall, [name]) = (mention.place, path)
            && sources.is_empty()
        {
            sources.extend(self.macros.get(name));
        }
        if mention.place == Place::PublicUse {
            sources.retain(|&module| !self.is_below(module, mention.module));
        }
        sources
    }

    /// Everything that a path may stand for: types, functions and macros may have one name. Nothing, if it belongs to
    /// another crate or to no file, like a variable.
    fn meanings(&self, module: usize, path: &[String], seen: &mut Vec<(usize, String)>) -> Vec<Meaning> {
        let Some((first, rest)) = path.split_first() else { return Vec::new() };
        let start = match first.as_str() {
            "crate" => vec![Meaning::Module(0)],
            "self" | "super" => self.step(Meaning::Module(module), first, seen),
            _ => self.named(module, first, seen),
        };
        rest.iter()
            .fold(start, |meanings, name| meanings.into_iter().flat_map(|from| self.step(from, name, seen)).collect())
    }

    fn step(&self, from: Meaning, name: &str, seen: &mut Vec<(usize, String)>) -> Vec<Meaning> {
        match from {
            Meaning::Item(_) => vec![from],
            Meaning::Module(_) if name == "self" => vec![from],
            Meaning::Module(module) if name == "super" => {
                self.modules[module].parent.map(Meaning::Module).into_iter().collect()
            }
            Meaning::Module(module) => self.named(module, name, seen),
        }
    }

    fn named(&self, module: usize, name: &str, seen: &mut Vec<(usize, String)>) -> Vec<Meaning> {
        let key = (module, name.to_owned());
        // `use name::name`, and modules that re-export each other.
        if seen.contains(&key) {
            return Vec::new();
        }
        seen.push(key);
        let Module { items, children, uses, globs, .. } = &self.modules[module];
        let mut meanings: Vec<Meaning> = items.contains(name).then_some(Meaning::Item(module)).into_iter().collect();
        meanings.extend(children.iter().filter(|(child, _)| child == name).map(|(_, child)| Meaning::Module(*child)));
        for (_, path) in uses.iter().filter(|(used, _)| used == name) {
            meanings.extend(self.meanings(module, path, seen));
        }
        for path in globs {
            for meaning in self.meanings(module, path, seen) {
                if let Meaning::Module(other) = meaning {
                    meanings.extend(self.named(other, name, seen));
                }
            }
        }
        seen.pop();
        meanings
    }

    fn is_below(&self, mut module: usize, ancestor: usize) -> bool {
        while let Some(parent) = self.modules[module].parent {
            if parent == ancestor {
                return true;
            }
            module = parent;
        }
        false
    }
}

impl fmt::Display for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files: Vec<String> = self.files.iter().map(|file| format!("`{}`", file.display())).collect();
        write!(f, "{} files import each other: {}", files.len(), files.join(", "))?;
        for Import { from, line, name, to } in &self.imports {
            write!(f, "\n  {}:{line} uses `{name}`, which is in `{}`", from.display(), to.display())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The files of each ring in a crate of these files of `src`.
    fn rings_of(texts: &[(&str, &str)]) -> Vec<String> {
        let files = texts.iter().map(|(name, text)| (Path::new("src").join(name), (*text).to_owned())).collect();
        let rings = rings(Path::new("src/lib.rs"), &files).unwrap();
        let names =
            |ring: &Ring| ring.files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(" ");
        rings.iter().map(|ring| names(ring).replace("src/", "")).collect()
    }

    #[test]
    fn every_way_to_name_a_thing_closes_a_ring() {
        let a = "use crate::b::B;\n\npub struct A;\npub mod inner { pub fn deep() {} }\npub fn of() {}";
        for text in [
            "use crate::a::A;",
            "use super::a::{self as other, inner::{self, deep}};",
            "use crate::{c, a::{A as Renamed}};",
            "use crate::a::*;",
            "use crate::a; fn f() { a::inner::deep(); }",
            "fn f() { use crate::a::A; }",
            "fn f() { super::a::of(); }",
            "mod inline { fn f() { super::super::a::of(); } }",
            "fn f() { self::super::a::of(); }",
            "fn f(a: Option<crate::a::A>) {}",
            "impl From<super::a::A> for B {}",
            r#"fn f() { println!("{}", crate::a::of()); }"#,
            "#[derive(crate::a::A)] struct C;",
            // Through the names of others.
            "use crate::c::Other;",
            "use crate::c::all::of;",
            "use super::*; fn f() { A; }",
        ] {
            let c = "pub use crate::a::A as Other; pub use crate::a as all;";
            let b = format!("pub struct B; {text}");
            let rings =
                rings_of(&[("lib.rs", "mod a; mod b; mod c; pub use a::A;"), ("a.rs", a), ("b.rs", &b), ("c.rs", c)]);
            assert_eq!(rings, ["a.rs b.rs"], "{text}");
        }
    }

    #[test]
    fn what_is_not_named_is_not_imported() {
        for text in [
            "use a::A;",
            "use ::a::A;",
            "fn f() { ::crate_a::a::of(); }",
            "pub(in crate::a) fn f(a: u8) -> u8 { a }",
            "use crate::a; fn f() { a::c::C; }",
            "#[cfg(test)] mod tests { use crate::a::A; }",
            "#[cfg(all(test, unix))] use crate::a::A;",
            "impl B { #[cfg(test)] fn f() { crate::a::of(); } }",
            "#[cfg(test)] mod tests;",
        ] {
            let a = "pub mod c; use crate::b::B; pub struct A; pub fn of() {}";
            let b = format!("pub struct B; {text}");
            let rings =
                rings_of(&[("lib.rs", "mod a; mod b;"), ("a.rs", a), ("a/c.rs", "pub struct C;"), ("b.rs", &b)]);
            assert_eq!(rings, [""; 0], "{text}");
        }
    }

    #[test]
    fn a_parent_is_in_a_ring_with_a_child_only_if_it_uses_it_and_is_used() {
        let child = ("a/b.rs", "use super::Context; pub struct B;");
        for (parent, expected) in [
            ("mod b; pub struct Context;", ""),
            ("mod b; pub use b::B; pub struct Context;", ""),
            ("mod b; pub(crate) use b::*; pub struct Context;", ""),
            ("mod b; use b::B; pub struct Context;", "a/b.rs a.rs"),
            ("mod b; pub use b::B; pub struct Context(B);", "a/b.rs a.rs"),
        ] {
            let rings = rings_of(&[("lib.rs", "mod a;"), ("a.rs", parent), child]);
            assert_eq!(rings.join(""), expected, "{parent}");
        }
    }

    #[test]
    fn a_ring_of_three_is_shown_with_the_lines_that_make_it() {
        let texts = [
            ("src/lib.rs", "mod a;\nmod b;\nmod c;\npub use c::C;"),
            ("src/a.rs", "use crate::b::B;\nuse crate::b;"),
            ("src/b/mod.rs", "pub struct B;\n\nfn f() -> crate::C {\n    C\n}"),
            ("src/c.rs", "pub struct C;\nfn f() {\n    super::a::f();\n}"),
        ];
        let mut files: Files = texts.iter().map(|(name, text)| ((*name).into(), (*text).to_owned())).collect();
        assert_eq!(rings(Path::new("src/lib.rs"), &files).unwrap(), []);
        files.insert("src/a.rs".into(), "use crate::b::B;\nuse crate::b;\npub fn f() {}".into());
        let rings = rings(Path::new("src/lib.rs"), &files).unwrap();
        assert_eq!(
            rings.iter().map(ToString::to_string).collect::<String>(),
            "3 files import each other: `src/a.rs`, `src/b/mod.rs`, `src/c.rs`\n  \
             src/a.rs:1 uses `crate::b::B`, which is in `src/b/mod.rs`\n  \
             src/b/mod.rs:3 uses `crate::C`, which is in `src/c.rs`\n  \
             src/c.rs:3 uses `super::a::f`, which is in `src/a.rs`"
        );
    }

    #[test]
    fn macros_are_found_without_a_path() {
        let lib = "#[macro_use] mod a; mod b;";
        let a = "macro_rules! show { () => { crate::b::B } }";
        assert_eq!(rings_of(&[("lib.rs", lib), ("a.rs", a), ("b.rs", "struct B; fn f() { show!(); }")]), ["a.rs b.rs"]);
    }
}
