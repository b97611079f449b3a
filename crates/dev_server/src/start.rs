//! Starts the project's server, or finds it running.

use std::fs::File;
use std::time::Duration;

use crate::account::Account;
use crate::cluster;
use crate::config;
use crate::container;
use crate::embedded;
use crate::error::Error;
use crate::file;
use crate::home::{self, Home, Site};
use crate::installation::Installation;
use crate::kind::Kind;
use crate::known;
use crate::local::{self, Choice, Wanted};
use crate::lock;
use crate::note::Note;
use crate::orphan;
use crate::port;
use crate::postmaster::{self, Refusal};
use crate::probe;
use crate::progress::Progress;
use crate::record::{self, Record};
use crate::running::running_in;
use crate::server::Server;
use crate::settings::Settings;
use crate::socket;
use crate::state_folder::StateFolder;

/// What a start came to.
#[derive(Debug)]
#[non_exhaustive]
pub struct Start {
    /// The server, which takes connections.
    pub server: Server,
    /// Whether this call started it; it was running before if not.
    pub is_new: bool,
    /// What the user should know.
    pub notes: Vec<Note>,
}

/// Starts the project's server and waits until it takes connections; one that runs already is used as it is.
///
/// Starts of several processes wait for each other, and all but one find the server running. A start that is killed
/// leaves nothing that the next one does not mend.
pub fn start(settings: &Settings, progress: Progress<'_>) -> Result<Start, Error> {
    let state = StateFolder::of(&settings.root)?;
    state.create()?;
    let lock = lock::acquire(&state.lock(), "Waiting for another start or stop of this server", progress)?;
    let mut notes = Vec::new();
    known::mend(&state, &mut notes)?;
    // A server that another process left starting is neither running nor absent.
    postmaster::settled(&home::find(&state)?, settings.timeout)?;
    if let Some(server) = running_in(&state)?.filter(really_runs) {
        return already_running(server, settings, notes);
    }
    notes.extend(orphan::end(&state, settings.timeout)?);
    if settings.kind == Some(Kind::Container) {
        container::start(&state, settings, preferred_port(&state)?, progress, &mut notes)?;
    } else {
        start_cluster(&state, settings, &lock, progress, &mut notes)?;
    }
    let server =
        running_in(&state)?.ok_or_else(|| Error::StartTimeout { timeout: settings.timeout, tail: String::new() })?;
    Ok(Start { server, is_new: true, notes })
}

/// A container's server is found by its port alone, and another program may have that by now.
fn really_runs(server: &Server) -> bool {
    server.kind != Kind::Container || probe::answers(server.port, Duration::from_secs(1))
}

fn already_running(server: Server, settings: &Settings, mut notes: Vec<Note>) -> Result<Start, Error> {
    if let Some(wanted) = settings.kind.filter(|kind| *kind != server.kind) {
        return Err(Error::OtherKindRunning { running: server.kind, wanted });
    }
    let ignored = settings.port.filter(|port| *port != server.port);
    notes.extend(ignored.map(|asked| Note::PortIgnored { asked, used: server.port }));
    Ok(Start { server, is_new: false, notes })
}

fn start_cluster(
    state: &StateFolder,
    settings: &Settings,
    lock: &File,
    progress: Progress<'_>,
    notes: &mut Vec<Note>,
) -> Result<(), Error> {
    let account = home::account(state, &home::find(state)?);
    let home = home::prepare(state, &account, notes)?;
    let site = Site { home, account, lock };
    let Site { home, account, .. } = &site;
    remove_unfinished(home, notes)?;
    let cluster = cluster::major(home)?;
    let installation = choose(home, cluster, settings.kind, account, progress, notes)?;
    if cluster.is_some() && state.read_password()?.is_none() {
        return Err(Error::PasswordLost { data: home.data(), password: state.password() });
    }
    let password = state.read_or_create_password()?;
    if cluster.is_none() {
        progress("Initialising the cluster");
        cluster::initialise(&site, &installation, &password)?;
    }
    postmaster::clear_stale(home, settings.timeout, notes)?;
    progress(&format!("Starting PostgreSQL {}", installation.version));
    launch(state, settings, &site, &installation, notes)
}

fn remove_unfinished(home: &Home, notes: &mut Vec<Note>) -> Result<(), Error> {
    let path = home.partial();
    if path.exists() {
        file::remove_folder(&path)?;
        notes.push(Note::UnfinishedClusterRemoved { path });
    }
    Ok(())
}

fn choose(
    home: &Home,
    cluster: Option<u16>,
    kind: Option<Kind>,
    account: &Account,
    progress: Progress<'_>,
    notes: &mut Vec<Note>,
) -> Result<Installation, Error> {
    let data = home.data();
    let wanted = Wanted { kind, cluster: cluster.map(|major| (data.as_path(), major)) };
    let candidates = if kind == Some(Kind::Embedded) { Vec::new() } else { local::find(account) };
    let (choice, passed_over) = local::choose(wanted, candidates)?;
    notes.extend(passed_over.into_iter().map(Note::PassedOver));
    match choice {
        Choice::Local(installation) => Ok(installation),
        Choice::Embedded => embedded::provide(account, progress),
    }
}

/// The port that the project had before, or the one that belongs to it.
fn preferred_port(state: &StateFolder) -> Result<u16, Error> {
    Ok(known::read(state)?.map_or_else(|| port::of_project(&state.hash), |record| record.port))
}

/// Configures and starts the server; another program that takes the port in between costs another attempt.
fn launch(
    state: &StateFolder,
    settings: &Settings,
    site: &Site<'_>,
    installation: &Installation,
    notes: &mut Vec<Note>,
) -> Result<(), Error> {
    const ATTEMPTS: usize = 5;
    let Site { home, account, .. } = site;
    let short = socket::short_folders(!account.switch);
    let socket_directory = socket::choose(&home.folder, &short, &state.hash, socket::LIMIT)?;
    file::own_folder(&socket_directory, 0o700, account.owner())?;
    socket::clear(&socket_directory)?;
    let preload = config::preload(installation);
    let preferred = preferred_port(state)?;
    let mut first = preferred;
    for _ in 0..ATTEMPTS {
        let port = port::choose(settings.port, first, port::is_free)?;
        let text = config::text(port, &socket_directory, &preload);
        file::replace(&home.data().join(config::FILE_NAME), text.as_bytes(), 0o600, account.owner())?;
        // Before the start, so that a server whose start was killed is found.
        record::write(
            state,
            &Record {
                kind: installation.kind,
                version: installation.version.text.clone(),
                port,
                socket_directory: Some(socket_directory.clone()),
                bin_directory: Some(installation.bin.clone()),
                container: None,
            },
        )?;
        match postmaster::start(site, &installation.bin, settings.timeout) {
            Ok(()) => {
                notes.extend(port::moved(settings.port, preferred, port));
                return Ok(());
            }
            Err(Refusal::PortTaken) => first = port::after(port),
            Err(Refusal::Error(error)) => return Err(error),
        }
    }
    Err(Error::NoFreePort)
}
