//! The image that the server's container is made of, built once for each content of the project's `docker/` folder.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::container::engine::{self, Engine};
use crate::error::Error;
use crate::file;
use crate::fingerprint;
use crate::lock;
use crate::process::{self, ProgramFailure};
use crate::progress::Progress;
use crate::state_folder::StateFolder;

/// What the Dockerfile builds on.
const BASE: &str = "debian:trixie-slim";

/// Makes sure that the image of the project in `root` is there, and gives its name:
/// `singularity-dev-postgres:<12 digits>`, which change with any file of `docker/`.
///
/// The base image is pulled, or made by `docker/base-image.sh` where no registry can be reached.
pub fn ensure(root: &Path, progress: Progress<'_>) -> Result<String, Error> {
    ensure_with(&engine::find()?, &StateFolder::of(root)?, progress)
}

/// The same with an engine that was found already.
pub(crate) fn ensure_with(engine: &Engine, state: &StateFolder, progress: Progress<'_>) -> Result<String, Error> {
    let folder = state.root.join("docker");
    let dockerfile = folder.join("Dockerfile");
    if !dockerfile.is_file() {
        return Err(Error::NoDockerfile { path: dockerfile });
    }
    let tag = tag(&folder)?;
    if exists(engine, &tag) {
        return Ok(tag);
    }
    state.create()?;
    let _lock = lock::acquire(&state.folder.join("image.lock"), "Waiting for another build of the image", progress)?;
    if !exists(engine, &tag) {
        provide_base(engine, &folder, progress)?;
        progress(&format!("Building the image `{tag}`"));
        process::stdout(&mut build(engine, &tag, &folder))
            .map_err(|source| Error::BuildImage { tag: tag.clone(), source })?;
    }
    Ok(tag)
}

fn exists(engine: &Engine, image: &str) -> bool {
    process::stdout(&mut engine.command(&["image", "inspect", image])).is_ok()
}

fn build(engine: &Engine, tag: &str, folder: &Path) -> std::process::Command {
    let mut command = engine.command(&["build", "--tag", tag]);
    command.arg(folder);
    command
}

fn provide_base(engine: &Engine, folder: &Path, progress: Progress<'_>) -> Result<(), Error> {
    if exists(engine, BASE) {
        return Ok(());
    }
    progress(&format!("Pulling the image `{BASE}`"));
    let Err(pull) = process::stdout(&mut engine.command(&["pull", BASE])) else {
        return Ok(());
    };
    let script = folder.join("base-image.sh");
    if !script.is_file() {
        return Err(without_base(None, pull));
    }
    progress(&format!("Making the image `{BASE}` from packages, since it cannot be pulled"));
    let mut make = process::command(&script, folder);
    process::stdout(make.env("CONTAINER_ENGINE", &engine.program))
        .map(drop)
        .map_err(|failure| without_base(Some(script), failure))
}

fn without_base(script: Option<PathBuf>, source: ProgramFailure) -> Error {
    Error::BaseImage { image: BASE, script, source }
}

/// Names the image by everything that goes into it: each file's path, mode and content.
fn tag(folder: &Path) -> Result<String, Error> {
    let mut files = Vec::new();
    collect(folder, &mut files)?;
    files.sort();
    let mut bytes = Vec::new();
    for path in files {
        let read = |source| Error::file("read", &path, source);
        let content = fs::read(&path).map_err(read)?;
        let runs = fs::metadata(&path).map_err(read)?.permissions().mode() & 0o100 != 0;
        let name = path.strip_prefix(folder).unwrap_or(&path).as_os_str().as_encoded_bytes();
        // Lengths keep the end of one file apart from the beginning of the next.
        bytes.extend_from_slice(format!("{} {} {runs}\n", name.len(), content.len()).as_bytes());
        bytes.extend_from_slice(name);
        bytes.extend_from_slice(&content);
    }
    Ok(format!("singularity-dev-postgres:{}", fingerprint::short(&bytes)))
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    let list = |source| Error::file("list", folder, source);
    let Some(entries) = file::found(fs::read_dir(folder)).map_err(list)? else {
        return Ok(());
    };
    for entry in entries {
        let path = entry.map_err(list)?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn engine() -> Engine {
        Engine { program: "podman".to_owned() }
    }

    #[test]
    fn the_tag_changes_with_content_name_and_mode() {
        let folder = tempfile::tempdir().unwrap();
        let dockerfile = folder.path().join("Dockerfile");
        fs::write(&dockerfile, "FROM debian:trixie-slim\n").unwrap();
        let first = tag(folder.path()).unwrap();
        assert_eq!(tag(folder.path()).unwrap(), first);
        assert_eq!(first.len(), "singularity-dev-postgres:".len() + 12);
        fs::set_permissions(&dockerfile, fs::Permissions::from_mode(0o755)).unwrap();
        let second = tag(folder.path()).unwrap();
        fs::create_dir(folder.path().join("more")).unwrap();
        fs::write(folder.path().join("more/file"), "").unwrap();
        let third = tag(folder.path()).unwrap();
        assert!(first != second && second != third && first != third);
    }

    #[test]
    fn builds_the_folder_under_the_tag() {
        let command = build(&engine(), "t:1", Path::new("/p/docker"));
        let arguments: Vec<_> = command.get_args().map(|argument| argument.to_str().unwrap()).collect();
        assert_eq!(command.get_program(), "podman");
        assert_eq!(arguments, ["build", "--tag", "t:1", "/p/docker"]);
    }

    #[test]
    fn a_project_without_a_dockerfile_says_which_file_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateFolder::of(folder.path()).unwrap();
        let error = ensure_with(&engine(), &state, &|_| ()).unwrap_err();
        assert!(error.to_string().contains("docker/Dockerfile"), "{error}");
    }
}
