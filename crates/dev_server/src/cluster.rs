//! Makes the cluster: PostgreSQL's data folder.

use std::io::Write;
use std::path::Path;
use std::process::Command;

use crate::account::Account;
use crate::config;
use crate::disk;
use crate::error::Error;
use crate::file;
use crate::home::{Home, PARTIAL, Site};
use crate::installation::Installation;
use crate::process;
use crate::secret::Secret;

/// The file through which initdb gets the password; it exists for that moment only.
const PASSWORD_FILE: &str = "password.initdb";

/// The major version of the cluster in `home`; `None` where there is no cluster.
pub(crate) fn major(home: &Home) -> Result<Option<u16>, Error> {
    let path = home.data().join("PG_VERSION");
    let Some(text) = file::read(&path)? else {
        return Ok(None);
    };
    let major = text
        .trim()
        .parse()
        .map_err(|source| Error::file("understand", &path, std::io::Error::other::<std::num::ParseIntError>(source)))?;
    Ok(Some(major))
}

/// Initialises a cluster under another name and renames it when it is whole.
pub(crate) fn initialise(site: &Site<'_>, installation: &Installation, password: &Secret) -> Result<(), Error> {
    let Site { home, account, .. } = site;
    let partial = home.partial();
    let password_file = home.folder.join(PASSWORD_FILE);
    file::own_folder(&partial, 0o700, account.owner())?;
    let done = file::replace(&password_file, password.expose().as_bytes(), 0o600, account.owner())
        .and_then(|()| run(site, installation))
        .and_then(|()| append_include(&partial, account))
        .and_then(|()| {
            let data = home.data();
            std::fs::rename(&partial, &data).map_err(|source| Error::file("rename", &partial, source))
        });
    file::remove(&password_file)?;
    if done.is_err() {
        file::remove_folder(&partial)?;
    }
    done
}

fn run(site: &Site<'_>, installation: &Installation) -> Result<(), Error> {
    let home = &site.home;
    let path = home.data();
    let locale = locale(installation.version.major, cfg!(target_os = "linux"));
    let mut initdb = site.command(&installation.bin.join("initdb"))?;
    process::stdout(arguments(&mut initdb, &locale)).map(drop).map_err(|source| {
        if disk::is_full(source.tail(), &home.folder) {
            let tail = String::new();
            return Error::DiskFull { action: "initialise a cluster", path, tail, source };
        }
        Error::Initialise { path, source }
    })
}

/// Relative paths, because initdb hands them to a shell without quoting them.
///
/// Without waiting for the disk, which is most of the time that initdb takes: until the first half-minute is over, a
/// power cut may cost the new cluster, and everything in it can be set up again. The server itself does wait.
///
/// One round of SCRAM's hash, because the password is random: the rounds protect what can be guessed, and 4096 of them
/// for every connection would be most of what an idle `db-setup` costs.
fn arguments<'command>(initdb: &'command mut Command, locale: &[&str]) -> &'command mut Command {
    initdb
        .args(["--pgdata", PARTIAL, "--username", "postgres", "--pwfile", PASSWORD_FILE])
        .args(["--auth", "scram-sha-256", "--encoding", "UTF8", "--data-checksums", "--no-sync"])
        .args(["--set", "scram_iterations=1"])
        .args(locale)
}

/// PostgreSQL 17 brings a locale of its own that sorts the same everywhere. The C library's `C.UTF-8` is only certain
/// to exist on Linux.
fn locale(major: u16, linux: bool) -> Vec<&'static str> {
    let library = if linux { "--locale=C.UTF-8" } else { "--locale=C" };
    if major < 17 {
        return vec![library];
    }
    vec!["--locale-provider=builtin", "--builtin-locale=C.UTF-8", library]
}

fn append_include(partial: &Path, account: &Account) -> Result<(), Error> {
    let path = partial.join("postgresql.conf");
    let mut file = file::append(&path, 0o600, account.owner())?;
    file.write_all(config::include().as_bytes()).map_err(|source| Error::file("write", &path, source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initdb_sets_password_encoding_and_locale() {
        let mut command = Command::new("initdb");
        arguments(&mut command, &locale(18, true));
        let arguments: Vec<_> = command.get_args().map(|argument| argument.to_str().unwrap()).collect();
        assert_eq!(
            arguments.join(" "),
            "--pgdata data.partial --username postgres --pwfile password.initdb --auth scram-sha-256 --encoding UTF8 \
             --data-checksums --no-sync --set scram_iterations=1 --locale-provider=builtin --builtin-locale=C.UTF-8 --locale=C.UTF-8"
        );
    }

    #[test]
    fn an_older_server_takes_the_librarys_locale() {
        assert_eq!(locale(16, true), ["--locale=C.UTF-8"]);
        assert_eq!(locale(16, false), ["--locale=C"]);
    }

    #[test]
    fn the_major_version_is_read_from_the_cluster() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home { folder: folder.path().to_owned() };
        assert_eq!(major(&home).unwrap(), None);
        std::fs::create_dir(home.data()).unwrap();
        std::fs::write(home.data().join("PG_VERSION"), "17\n").unwrap();
        assert_eq!(major(&home).unwrap(), Some(17));
        std::fs::write(home.data().join("PG_VERSION"), "9.6\n").unwrap();
        assert!(major(&home).unwrap_err().to_string().contains("PG_VERSION"));
    }
}
