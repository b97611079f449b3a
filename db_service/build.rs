//! Tells the program which Ecto migrations existed when it was built: in production there is no source tree to ask.

use std::{env, fs, path::Path};

const ECTO_MIGRATIONS: &str = "../singularity_app/priv/repo/migrations";

fn main() {
    println!("cargo::rerun-if-changed={ECTO_MIGRATIONS}");
    println!("cargo::rerun-if-changed=../migrations");
    let mut names: Vec<String> = fs::read_dir(ECTO_MIGRATIONS)
        .unwrap_or_else(|error| panic!("cannot read {ECTO_MIGRATIONS}: {error}"))
        .map(|entry| entry.expect("the folder can be listed").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    let out = env::var_os("OUT_DIR").expect("cargo sets OUT_DIR");
    fs::write(Path::new(&out).join("ecto_files.rs"), format!("&{names:?}")).expect("OUT_DIR can be written");
}
