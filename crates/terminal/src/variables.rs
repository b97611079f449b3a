//! The one place that reads the process's environment. (clap reads the variables that it names in help texts.)

use std::env;
use std::path::PathBuf;

/// Whether the user has asked for output without colour.
#[must_use]
pub fn no_color() -> bool {
    env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_on_path_is_found() {
        assert!(is_on_path("sh"));
        assert!(!is_on_path("no-such-program"));
    }
}
