//! The one place that reads the process's environment.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

/// Whether the user has asked for output without colour.
#[must_use]
pub fn no_color() -> bool {
    env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

/// Whether the terminal can only print one line after the other.
#[must_use]
pub fn is_terminal_dumb() -> bool {
    env::var_os("TERM").is_some_and(|value| value == "dumb")
}

/// The folders in which programs are looked for.
#[must_use]
pub fn path() -> Vec<PathBuf> {
    env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default()
}

/// Whether a program of that name is in one of these folders.
#[must_use]
pub fn is_on_path(program: &str) -> bool {
    path().iter().any(|folder| folder.join(program).is_file())
}

/// The user's home folder.
#[must_use]
pub fn home() -> Option<PathBuf> {
    folder("HOME")
}

/// Where Cargo keeps what it has fetched.
#[must_use]
pub fn cargo_home() -> Option<PathBuf> {
    folder("CARGO_HOME").or_else(|| Some(home()?.join(".cargo")))
}

/// Where the user's caches are, if that was said.
#[must_use]
pub fn cache_home() -> Option<PathBuf> {
    folder("XDG_CACHE_HOME")
}

/// The folder for sockets and the like that the user's session has.
#[must_use]
pub fn runtime_folder() -> Option<PathBuf> {
    folder("XDG_RUNTIME_DIR")
}

/// The folder for what need not last.
#[must_use]
pub fn temporary_folder() -> PathBuf {
    env::temp_dir()
}

/// The variable that names a database.
pub const DATABASE_URL: &str = "DATABASE_URL";

/// What it holds; an empty one names none.
#[must_use]
pub fn database_url() -> Option<String> {
    env::var(DATABASE_URL).ok().filter(|text| !text.trim().is_empty())
}

/// A variable of libpq's, `PGSSLMODE` say; an empty one says nothing.
#[must_use]
pub fn libpq(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// The names of variables that start so.
#[must_use]
pub fn names_starting_with(prefix: &str) -> Vec<OsString> {
    let starts = |name: &OsString| name.as_encoded_bytes().starts_with(prefix.as_bytes());
    env::vars_os().map(|(name, _)| name).filter(starts).collect()
}

/// An absolute path; the standard for such variables has relative ones ignored.
fn folder(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).map(PathBuf::from).filter(|folder| folder.is_absolute())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_on_path_is_found() {
        assert!(is_on_path("sh"));
        assert!(!is_on_path("no-such-program"));
    }
}
