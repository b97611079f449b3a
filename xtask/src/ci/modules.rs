//! The modules of a crate, and every name that its files mention. Test code is left out.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use proc_macro2::{Spacing, TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Ident, ImplItemFn, Item, ItemMacro, ItemMod, ItemUse, Macro, Meta, UseTree, Visibility};

use super::items::{heading, is_for_tests};

/// Texts by path.
pub(super) type Files = BTreeMap<PathBuf, String>;

/// What the files of one crate say, from its root file on.
#[derive(Debug, Default)]
pub(super) struct Crate {
    /// The first one is the root.
    pub(super) modules: Vec<Module>,
    pub(super) mentions: Vec<Mention>,
    /// The module of every `macro_rules!`: their names need no `use`.
    pub(super) macros: HashMap<String, usize>,
}

/// Modules are named by their place in [`Crate::modules`].
#[derive(Debug, Default)]
pub(super) struct Module {
    pub(super) file: PathBuf,
    pub(super) parent: Option<usize>,
    pub(super) items: HashSet<String>,
    pub(super) children: Vec<(String, usize)>,
    /// Names that `use` brings in, with their paths.
    pub(super) uses: Vec<(String, Vec<String>)>,
    /// Modules all of whose names `use` brings in.
    pub(super) globs: Vec<Vec<String>>,
    /// Where the files of its children are.
    folder: PathBuf,
}

/// A path in a file's text.
#[derive(Debug)]
pub(super) struct Mention {
    pub(super) module: usize,
    pub(super) line: usize,
    /// Its parts as written, `*` for all names.
    pub(super) path: Vec<String>,
    pub(super) place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Code,
    MacroCall,
    Use,
    PublicUse,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum ModuleError {
    #[error("cannot read `{}` as Rust, line {line}", .file.display())]
    Syntax {
        file: PathBuf,
        line: usize,
        #[source]
        source: syn::Error,
    },
    #[error("cannot find the file of module `{name}`, which `{}` declares", .file.display())]
    NoFile { file: PathBuf, name: String },
    #[error("cannot find `{}`, the root of a crate", .0.display())]
    NoRoot(PathBuf),
}

impl Crate {
    /// Reads the root file and the files of all modules below it.
    pub(super) fn read(root: &Path, files: &Files) -> Result<Self, ModuleError> {
        let mut reader = Reader { found: Self::default(), files, module: 0, unread: Vec::new(), missing: None };
        let folder = root.parent().unwrap_or(Path::new("")).to_owned();
        reader.found.modules.push(Module { file: root.to_owned(), folder, ..Module::default() });
        reader.unread.push(0);
        while let Some(module) = reader.unread.pop() {
            let file = reader.found.modules[module].file.clone();
            let text = files.get(&file).ok_or_else(|| ModuleError::NoRoot(file.clone()))?;
            let parsed = syn::parse_file(text).map_err(|source| {
                let line = source.span().start().line;
                ModuleError::Syntax { file: file.clone(), line, source }
            })?;
            reader.module = module;
            reader.visit_file(&parsed);
            if let Some(name) = reader.missing.take() {
                return Err(ModuleError::NoFile { file, name });
            }
        }
        Ok(reader.found)
    }
}

struct Reader<'a> {
    found: Crate,
    files: &'a Files,
    /// The one that is being read.
    module: usize,
    unread: Vec<usize>,
    missing: Option<String>,
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        let (attributes, name) = heading(item);
        if attributes.iter().any(is_for_tests) {
            return;
        }
        if let Some(name) = name {
            self.found.modules[self.module].items.insert(name.to_string());
        }
        visit::visit_item(self, item);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        if !function.attrs.iter().any(is_for_tests) {
            visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        let (name, parent) = (item.ident.to_string(), self.module);
        let Module { file, folder, .. } = &self.found.modules[parent];
        let inside = folder.join(&name);
        let (file, folder) = match &item.content {
            Some(_) => (file.clone(), inside),
            None => match self.file_of(&name, folder) {
                Some(file) => (file, inside),
                None => return self.missing = Some(name),
            },
        };
        let child = self.found.modules.len();
        self.found.modules.push(Module { file, parent: Some(parent), folder, ..Module::default() });
        self.found.modules[parent].children.push((name, child));
        match &item.content {
            Some((_, items)) => {
                self.module = child;
                for item in items {
                    self.visit_item(item);
                }
                self.module = parent;
            }
            None => self.unread.push(child),
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        // `::name` is another crate.
        if item.leading_colon.is_none() {
            let place = if matches!(item.vis, Visibility::Inherited) { Place::Use } else { Place::PublicUse };
            self.read_use(&item.tree, &mut Vec::new(), place);
        }
    }

    fn visit_item_macro(&mut self, item: &'ast ItemMacro) {
        if let Some(name) = &item.ident {
            self.found.macros.insert(name.to_string(), self.module);
        }
        visit::visit_item_macro(self, item);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.read_path(path, Place::Code);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        self.read_path(&call.path, Place::MacroCall);
        self.read_tokens(call.tokens.clone());
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let Meta::List(list) = &attribute.meta {
            self.read_tokens(list.tokens.clone());
        }
    }

    // `pub(in crate::name)` uses nothing.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}
}

impl Reader<'_> {
    fn file_of(&self, name: &str, folder: &Path) -> Option<PathBuf> {
        let files = [folder.join(format!("{name}.rs")), folder.join(name).join("mod.rs")];
        files.into_iter().find(|file| self.files.contains_key(file))
    }

    fn mention(&mut self, path: &[&Ident], is_glob: bool, place: Place) {
        let line = path.last().map_or(0, |name| name.span().start().line);
        let path = names(path).chain(is_glob.then(|| "*".to_owned())).collect();
        self.found.mentions.push(Mention { module: self.module, line, path, place });
    }

    fn read_path(&mut self, path: &syn::Path, place: Place) {
        if path.leading_colon.is_none() {
            let path: Vec<_> = path.segments.iter().map(|segment| &segment.ident).collect();
            self.mention(&path, false, place);
        }
    }

    fn read_use<'i>(&mut self, tree: &'i UseTree, path: &mut Vec<&'i Ident>, place: Place) {
        let (last, name) = match tree {
            UseTree::Path(next) => {
                path.push(&next.ident);
                self.read_use(&next.tree, path, place);
                path.pop();
                return;
            }
            UseTree::Group(group) => return group.items.iter().for_each(|tree| self.read_use(tree, path, place)),
            UseTree::Glob(_) => {
                self.found.modules[self.module].globs.push(names(path).collect());
                return self.mention(path, true, place);
            }
            UseTree::Name(name) => (&name.ident, &name.ident),
            UseTree::Rename(rename) => (&rename.ident, &rename.rename),
        };
        let mut whole = path.clone();
        // `a::{self}` is `a`.
        if last != "self" {
            whole.push(last);
        }
        let name = if name == "self" { whole.last().copied().unwrap_or(name) } else { name };
        self.found.modules[self.module].uses.push((name.to_string(), names(&whole).collect()));
        self.mention(&whole, false, place);
    }

    /// Paths in the arguments of macros and attributes, whose grammar is their own.
    fn read_tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut rest = tokens.as_slice();
        while let Some((first, after)) = rest.split_first() {
            rest = after;
            match first {
                TokenTree::Group(group) => self.read_tokens(group.stream()),
                TokenTree::Ident(name) => {
                    let mut path = vec![name];
                    while let [colon, _, TokenTree::Ident(next), after @ ..] = rest
                        && is_double_colon(colon)
                    {
                        path.push(next);
                        rest = after;
                    }
                    self.mention(&path, false, Place::Code);
                }
                // What follows `::` here belongs to another crate or to a type.
                colon if is_double_colon(colon) => rest = after.get(2..).unwrap_or_default(),
                _ => {}
            }
        }
    }
}

fn names(path: &[&Ident]) -> impl Iterator<Item = String> {
    path.iter().map(ToString::to_string)
}

fn is_double_colon(first: &TokenTree) -> bool {
    matches!(first, TokenTree::Punct(colon) if colon.as_char() == ':' && colon.spacing() == Spacing::Joint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error_of(text: &str) -> String {
        let files = Files::from([("src/lib.rs".into(), text.to_owned())]);
        Crate::read(Path::new("src/lib.rs"), &files).unwrap_err().to_string()
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        assert_eq!(error_of("\nmod a;"), "cannot find the file of module `a`, which `src/lib.rs` declares");
        assert_eq!(error_of("\nfn {}"), "cannot read `src/lib.rs` as Rust, line 2");
    }
}
