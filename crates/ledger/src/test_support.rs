//! For tests: the project's own Ecto files.

use std::path::Path;

use crate::ecto::Files;

pub(crate) fn files() -> Files {
    Files::read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../singularity_app/priv/repo/migrations"))).unwrap()
}
