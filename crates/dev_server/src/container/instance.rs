//! The project's container: made, started, stopped. Its data is in a volume that outlives it.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::container::engine::{self, Engine, failed};
use crate::container::existing::{self, PORT_LABEL, VOLUME_LABEL, inspect};
use crate::container::image;
use crate::error::Error;
use crate::fingerprint;
use crate::kind::Kind;
use crate::note::Note;
use crate::port;
use crate::probe;
use crate::process::{self, ProgramFailure};
use crate::progress::Progress;
use crate::record::{self, Container, Record};
use crate::secret::Secret;
use crate::settings::Settings;
use crate::state_folder::StateFolder;

/// A container as it should be.
struct Instance {
    engine: Engine,
    name: String,
    image: String,
    volume: String,
    password_file: String,
}

/// Starts the project's container on the `preferred` port if it can be had, making image, volume and container as needed,
/// and waits until its server takes connections.
pub(crate) fn start(
    state: &StateFolder,
    settings: &Settings,
    preferred: u16,
    progress: Progress<'_>,
    notes: &mut Vec<Note>,
) -> Result<(), Error> {
    let engine = engine::find()?;
    let image = image::ensure_with(&engine, state, progress)?;
    let password = state.read_or_create_password()?;
    let instance = Instance {
        name: existing::name(&state.hash),
        volume: volume(&state.hash, &password),
        password_file: state.password_for_container().to_string_lossy().into_owned(),
        image,
        engine,
    };
    progress(&format!("Starting the container `{}`", instance.name));
    let port = match resume(&instance, settings.port)? {
        Some(port) => port,
        None => create(&instance, settings.port, preferred)?,
    };
    notes.extend(port::moved(settings.port, preferred, port));
    let mut record = Record {
        kind: Kind::Container,
        version: String::new(),
        port,
        socket_directory: None,
        bin_directory: None,
        container: Some(Container {
            engine: instance.engine.program.clone(),
            name: instance.name.clone(),
            started: false,
        }),
    };
    // Before the wait, so that `stop` finds a container whose start was killed.
    record::write(state, &record)?;
    wait_until_ready(&instance, port, settings.timeout)?;
    record.version = existing::version(&instance.engine, &instance.name);
    record.container.iter_mut().for_each(|container| container.started = true);
    record::write(state, &record)
}

/// Stops the container that `record` describes and keeps it; false if it was not running.
pub(crate) fn stop(state: &StateFolder, mut record: Record) -> Result<bool, Error> {
    let Some(container) = &mut record.container else {
        return Ok(false);
    };
    let engine = Engine { program: container.engine.clone() };
    let name = container.name.clone();
    container.started = false;
    let stopped = match inspect(&engine, &name)? {
        Some(existing) if existing.running => {
            run("stop", &name, &mut engine.command(&["stop", "--time", "60", &name]))?;
            true
        }
        _ => false,
    };
    record::write(state, &record)?;
    Ok(stopped)
}

/// A volume belongs to one password, which the server inside keeps: a state folder that was removed and made anew
/// means a cluster made anew.
fn volume(hash: &str, password: &Secret) -> String {
    format!("singularity-dev-{hash}-{}", fingerprint::short(password.expose().as_bytes()))
}

/// Starts the container that is there and gives its port; removes it instead if it is not as it should be.
fn resume(instance: &Instance, asked: Option<u16>) -> Result<Option<u16>, Error> {
    let Instance { engine, name, .. } = instance;
    let Some(existing) = inspect(engine, name)? else {
        return Ok(None);
    };
    let port = existing.port.filter(|port| asked.is_none_or(|asked| asked == *port));
    let as_wanted = existing.image == instance.image && existing.volume == instance.volume;
    if let Some(port) = port.filter(|_| as_wanted) {
        if existing.running {
            return Ok(Some(port));
        }
        match process::stdout(&mut engine.command(&["start", name])) {
            Ok(_) => return Ok(Some(port)),
            Err(failure) if is_port_taken(&failure) => {}
            Err(source) => return Err(failed("start", name, source)),
        }
    }
    remove(instance)?;
    Ok(None)
}

fn create(instance: &Instance, asked: Option<u16>, preferred: u16) -> Result<u16, Error> {
    const ATTEMPTS: usize = 5;
    let mut first = preferred;
    for _ in 0..ATTEMPTS {
        let port = port::choose(asked, first, port::is_free)?;
        match process::stdout(&mut create_command(instance, port)) {
            Ok(_) => return Ok(port),
            Err(failure) => {
                remove(instance)?;
                if !is_port_taken(&failure) {
                    return Err(failed("create", &instance.name, failure));
                }
            }
        }
        first = port::after(port);
    }
    Err(Error::NoFreePort)
}

/// The password goes by a file: command lines are for everyone to read.
fn create_command(instance: &Instance, port: u16) -> Command {
    let volume = format!("{}:/var/lib/postgresql/data", instance.volume);
    instance.engine.command(&[
        "run",
        "--detach",
        "--name",
        &instance.name,
        "--label",
        &format!("{VOLUME_LABEL}={}", instance.volume),
        "--label",
        &format!("{PORT_LABEL}={port}"),
        "--publish",
        &format!("127.0.0.1:{port}:5432"),
        "--env-file",
        &instance.password_file,
        "--volume",
        &volume,
        "--shm-size",
        "1g",
        &instance.image,
    ])
}

fn remove(instance: &Instance) -> Result<(), Error> {
    let Instance { engine, name, .. } = instance;
    if inspect(engine, name)?.is_none() {
        return Ok(());
    }
    run("remove", name, &mut engine.command(&["rm", "--force", name]))
}

/// Ready means: `pg_isready` inside says so over TCP, and the published port answers.
fn wait_until_ready(instance: &Instance, port: u16, timeout: Duration) -> Result<(), Error> {
    let Instance { engine, name, .. } = instance;
    let begin = Instant::now();
    loop {
        let ready = ["exec", name, "pg_isready", "--quiet", "--host", "127.0.0.1", "--username", "postgres"];
        if process::stdout(&mut engine.command(&ready)).is_ok() && probe::answers(port, Duration::from_secs(1)) {
            return Ok(());
        }
        if !inspect(engine, name)?.is_some_and(|existing| existing.running) {
            let name = name.clone();
            return Err(Error::ContainerEnded { tail: log_tail(instance), name });
        }
        if begin.elapsed() > timeout {
            let tail = log_tail(instance);
            return Err(Error::StartTimeout { timeout, tail });
        }
        thread::sleep(Duration::from_millis(100));
    }
}

fn log_tail(instance: &Instance) -> String {
    let output = instance.engine.command(&["logs", "--tail", "20", &instance.name]).output();
    output.map_or_else(
        |_| String::new(),
        |output| process::tail(&(String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr))),
    )
}

fn is_port_taken(failure: &ProgramFailure) -> bool {
    let tail = failure.tail();
    tail.contains("port is already allocated") || tail.contains("address already in use")
}

fn run(action: &'static str, name: &str, command: &mut Command) -> Result<(), Error> {
    process::stdout(command).map(drop).map_err(|source| failed(action, name, source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_listens_on_this_machine_only_and_gets_its_password_from_a_file() {
        let instance = Instance {
            engine: Engine { program: "docker".to_owned() },
            name: "singularity-dev-abc".to_owned(),
            image: "singularity-dev-postgres:1".to_owned(),
            volume: volume("abc", &Secret::new("pw".to_owned())),
            password_file: "/p/.dev-db/container.env".to_owned(),
        };
        let command = create_command(&instance, 20_345);
        let arguments: Vec<_> = command.get_args().map(|argument| argument.to_str().unwrap()).collect();
        assert_eq!(
            arguments.join(" "),
            "run --detach --name singularity-dev-abc --label singularity-dev.volume=singularity-dev-abc-30c952fab122 \
             --label singularity-dev.port=20345 --publish 127.0.0.1:20345:5432 --env-file /p/.dev-db/container.env \
             --volume singularity-dev-abc-30c952fab122:/var/lib/postgresql/data --shm-size 1g singularity-dev-postgres:1"
        );
    }

    #[test]
    fn a_state_folder_made_anew_gets_a_volume_of_its_own() {
        let first = volume("abc", &Secret::new("one".to_owned()));
        assert_ne!(first, volume("abc", &Secret::new("two".to_owned())));
    }
}
