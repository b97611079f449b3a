//! The Ecto migrations that existed when this was built: in production there is no source tree to ask.

use ledger::ecto::{FileError, Files};

const NAMES: &[&str] = include!(concat!(env!("OUT_DIR"), "/ecto_files.rs"));

/// Those.
///
/// # Errors
/// See [`FileError`].
pub fn embedded() -> Result<Files, FileError> {
    Files::from_names(NAMES.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn the_program_knows_the_files_it_was_built_with() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../singularity_app/priv/repo/migrations");
        assert_eq!(embedded().unwrap(), Files::read(Path::new(folder)).unwrap());
    }
}
