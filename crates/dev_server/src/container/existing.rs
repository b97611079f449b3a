//! A container as it is.

use crate::container::engine::{self, Engine, failed};
use crate::error::Error;
use crate::process;
use crate::version;

/// Holds the name of the volume, so that a container of an older cluster is recognised.
pub(crate) const VOLUME_LABEL: &str = "singularity-dev.volume";
/// Holds the port, which a stopped container does not tell otherwise.
pub(crate) const PORT_LABEL: &str = "singularity-dev.port";

/// A container as it is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Existing {
    pub(crate) running: bool,
    pub(crate) image: String,
    pub(crate) volume: String,
    pub(crate) port: Option<u16>,
}

/// The name of the container of the project whose hash is `hash`.
pub(crate) fn name(hash: &str) -> String {
    format!("singularity-dev-{hash}")
}

/// Looks for a container with whatever engine there is; where there is none, there is no container.
pub(crate) fn find(name: &str) -> Result<Option<(Engine, Existing)>, Error> {
    let Ok(engine) = engine::find() else { return Ok(None) };
    Ok(inspect(&engine, name)?.map(|existing| (engine, existing)))
}

/// The version of the server in a container that runs.
pub(crate) fn version(engine: &Engine, name: &str) -> String {
    let answer = process::stdout(&mut engine.command(&["exec", name, "pg_isready", "--version"]));
    let version = answer.ok().and_then(|answer| version::parse(&answer));
    version.map_or_else(|| "unknown".to_owned(), |version| version.text)
}

/// Looks at a container; `None` where there is none of that name.
pub(crate) fn inspect(engine: &Engine, name: &str) -> Result<Option<Existing>, Error> {
    let filter = format!("name=^{name}$");
    let listed = process::stdout(&mut engine.command(&["ps", "--all", "--quiet", "--filter", &filter]));
    if listed.map_err(|source| failed("look for", name, source))?.trim().is_empty() {
        return Ok(None);
    }
    let format = format!(
        "{{{{.State.Running}}}}|{{{{.Config.Image}}}}|{{{{index .Config.Labels \"{VOLUME_LABEL}\"}}}}|\
         {{{{index .Config.Labels \"{PORT_LABEL}\"}}}}"
    );
    let answer = process::stdout(&mut engine.command(&["container", "inspect", "--format", &format, name]));
    let answer = answer.map_err(|source| failed("inspect", name, source))?;
    Ok(Some(existing(&answer)))
}

fn existing(answer: &str) -> Existing {
    let mut fields = answer.trim().split('|');
    let mut field = || fields.next().unwrap_or_default();
    Existing {
        running: field() == "true",
        // Podman puts the registry before the name of an image that was built here.
        image: field().trim_start_matches("localhost/").to_owned(),
        volume: field().to_owned(),
        port: field().parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_existing_container_is_read_from_one_line() {
        let expected = Existing {
            running: true,
            image: "singularity-dev-postgres:1".to_owned(),
            volume: "v".to_owned(),
            port: Some(20_345),
        };
        assert_eq!(existing("true|localhost/singularity-dev-postgres:1|v|20345\n"), expected);
        assert_eq!(existing("false|other||").port, None);
    }
}
