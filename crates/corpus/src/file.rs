//! The text files of a repository.

use std::fs;
use std::path::Path;

use ignore::{DirEntry, WalkBuilder};

use crate::left_out::Reason;
use crate::repository::Repository;

/// Bytes of the longest file that is taken: what is longer was made by a program, or is data.
pub const LONGEST: u64 = 1 << 20;

/// A file that is text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// From the repository's folder, with `/`.
    pub path: String,
    /// All of it.
    pub content: String,
}

/// The files of a repository in the order of their paths, or why one is left out. Hidden ones, and those that a `.gitignore`
/// of the repository excludes, do not belong to it.
pub fn of(repository: &Repository) -> impl Iterator<Item = Result<SourceFile, Reason>> {
    let folder = repository.folder.clone();
    walk(repository).map(move |entry| read(&entry.map_err(|_| Reason::Unreadable)?, &folder))
}

/// The bytes of the files of a repository that are not too long.
#[must_use]
pub fn bytes(repository: &Repository) -> u64 {
    let lengths = walk(repository).filter_map(|entry| Some(entry.ok()?.metadata().ok()?.len()));
    lengths.filter(|length| *length <= LONGEST).sum()
}

fn walk(repository: &Repository) -> impl Iterator<Item = Result<DirEntry, ignore::Error>> + use<> {
    // What is set on this machine, outside of the repository, must not change what is found.
    let mut walk = WalkBuilder::new(&repository.folder);
    walk.parents(false).git_global(false).git_exclude(false).require_git(false).sort_by_file_name(Ord::cmp);
    walk.build().filter(|entry| {
        !entry.as_ref().is_ok_and(|entry| entry.depth() == 0 || entry.file_type().is_some_and(|kind| kind.is_dir()))
    })
}

fn read(entry: &DirEntry, folder: &Path) -> Result<SourceFile, Reason> {
    if !entry.file_type().is_some_and(|kind| kind.is_file()) {
        return Err(Reason::NoFile);
    }
    let path = entry.path().strip_prefix(folder).ok().and_then(slashed).ok_or(Reason::Name)?;
    if entry.metadata().map_err(|_| Reason::Unreadable)?.len() > LONGEST {
        return Err(Reason::TooLong);
    }
    let content = fs::read(entry.path()).map_err(|_| Reason::Unreadable)?;
    // It may have grown.
    if content.len() as u64 > LONGEST {
        return Err(Reason::TooLong);
    }
    let content = String::from_utf8(content).map_err(|_| Reason::NotText)?;
    if content.contains('\0') { Err(Reason::NotText) } else { Ok(SourceFile { path, content }) }
}

/// A path as it is stored; none if it cannot be.
fn slashed(path: &Path) -> Option<String> {
    let parts: Option<Vec<&str>> = path.iter().map(|part| part.to_str().filter(|part| !part.contains('#'))).collect();
    parts.map(|parts| parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(root: &Path) -> Vec<Result<String, Reason>> {
        let repository = Repository { name: "r".to_owned(), folder: root.to_owned() };
        of(&repository).map(|file| file.map(|file| file.path)).collect()
    }

    #[test]
    fn what_is_no_text_is_left_out_with_its_reason() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir(root.join("src")).unwrap();
        let longest = "x".repeat(usize::try_from(LONGEST).unwrap());
        for (name, content) in [
            ("a.bin", &b"\xff\xfe"[..]),
            ("b.txt", b"a\0b"),
            ("c#1.rs", b"x"),
            ("d.txt", longest.as_bytes()),
            ("e.txt", (longest.clone() + "x").as_bytes()),
            ("f.rs", b""),
            ("src/größe.rs", "größe".as_bytes()),
        ] {
            fs::write(root.join(name), content).unwrap();
        }
        let text = |path: &str| Ok(path.to_owned());
        assert_eq!(
            found(root),
            [
                Err(Reason::NotText),
                Err(Reason::NotText),
                Err(Reason::Name),
                text("d.txt"),
                Err(Reason::TooLong),
                text("f.rs"),
                text("src/größe.rs"),
            ]
        );
    }

    #[test]
    fn what_git_would_not_have_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for name in ["target", ".git", "src"] {
            fs::create_dir(root.join(name)).unwrap();
            fs::write(root.join(name).join("a.rs"), "x").unwrap();
        }
        fs::write(root.join(".gitignore"), "/target/").unwrap();
        assert_eq!(found(root), [Ok("src/a.rs".to_owned())]);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::write(root.join("a.rs"), "x").unwrap();
        std::os::unix::fs::symlink(root, root.join("b")).unwrap();
        std::os::unix::fs::symlink("a.rs", root.join("c.rs")).unwrap();
        assert_eq!(found(root), [Ok("a.rs".to_owned()), Err(Reason::NoFile), Err(Reason::NoFile)]);
    }

    #[test]
    fn a_folder_that_is_gone_is_unreadable() {
        assert_eq!(found(Path::new("/nowhere/at/all")), [Err(Reason::Unreadable)]);
    }
}
