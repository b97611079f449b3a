//! Libraries that have to be loaded when the server starts.

use super::known::known;

/// Whether creating it must happen on a connection of its own, because it may end that connection.
pub(super) fn of(name: &str) -> Option<&'static str> {
    known(name).and_then(|known| known.preload)
}

/// The libraries of a `shared_preload_libraries` setting, as they are written there, without quotes.
pub(super) fn libraries(setting: &str) -> Vec<String> {
    setting
        .split(',')
        .map(|library| library.trim().trim_matches('"').to_owned())
        .filter(|library| !library.is_empty())
        .collect()
}

/// Whether one of these is that library, however either is written.
pub(super) fn is_among(library: &str, preloaded: &[String]) -> bool {
    preloaded.iter().any(|loaded| stem(loaded) == stem(library))
}

/// Whether an extension needs a library that is none of these.
pub(super) fn lacks(name: &str, preloaded: &[String]) -> bool {
    of(name).is_some_and(|library| !is_among(library, preloaded))
}

/// `$libdir/vectors.so` and `vectors` are the same library.
fn stem(library: &str) -> &str {
    let name = library.rsplit('/').next().unwrap_or(library);
    name.strip_suffix(".so").unwrap_or(name)
}
