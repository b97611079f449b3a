//! The PostgreSQL installations of this machine, and which of them fits.

use std::path::{Path, PathBuf};

use terminal::variables;

use crate::account::Account;
use crate::error::Error;
use crate::installation::{self, Installation};
use crate::kind::Kind;
use crate::process;
use crate::rejection::{Reason, Rejection};
use crate::version::MINIMUM_MAJOR;
use crate::wheel;

/// What to start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    Local(Installation),
    Embedded,
}

/// What was looked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'path> {
    /// The kind asked for; `None` takes the first that fits.
    pub(crate) kind: Option<Kind>,
    /// The cluster's folder and its major version, if there is one already.
    pub(crate) cluster: Option<(&'path Path, u16)>,
}

/// Looks at every installation of this machine, best first.
pub(crate) fn find(account: &Account) -> Vec<Result<Installation, Rejection>> {
    candidates().iter().map(|bin| examine(bin, account)).collect()
}

/// Chooses among `local` installations and the embedded one. Also gives the local ones that were passed over before.
pub(crate) fn choose(
    wanted: Wanted<'_>,
    local: Vec<Result<Installation, Rejection>>,
) -> Result<(Choice, Vec<Rejection>), Error> {
    let major = wanted.cluster.map(|(_, major)| major);
    let mut passed_over = Vec::new();
    for candidate in local {
        match candidate.and_then(|installation| of_major(installation, major)) {
            Ok(installation) => return Ok((Choice::Local(installation), passed_over)),
            Err(rejection) => passed_over.push(rejection),
        }
    }
    let embedded = wanted.kind != Some(Kind::Local);
    if embedded && major.is_none_or(|major| major == wheel::MAJOR) {
        return Ok((Choice::Embedded, passed_over));
    }
    let mut found: Vec<String> = passed_over.iter().filter_map(|rejection| rejection.version.clone()).collect();
    if embedded {
        found.push(wheel::POSTGRESQL.to_owned());
    }
    Err(match wanted.cluster {
        Some((data, cluster)) => Error::OtherMajor { data: data.to_owned(), cluster, found },
        None => Error::NoLocal { rejections: passed_over },
    })
}

/// Folders with PostgreSQL programs: those on PATH, what `pg_config` names, then where packages put them.
fn candidates() -> Vec<PathBuf> {
    let named = process::stdout(process::command("pg_config", Path::new("/")).arg("--bindir"));
    let packaged = ["/usr/lib/postgresql", "/usr/pgsql", "/opt/homebrew/opt", "/usr/local/opt"];
    let folders = variables::path()
        .into_iter()
        .chain(named.ok().map(|bin| PathBuf::from(bin.trim_end_matches('\n'))))
        .chain(packaged.iter().flat_map(|folder| packaged_under(Path::new(folder))));
    let mut found = Vec::new();
    for bin in folders.filter_map(|folder| bin_of(&folder)) {
        if !found.contains(&bin) {
            found.push(bin);
        }
    }
    found
}

/// The folder that really holds the programs. PATH may hold links to them (`/usr/local/bin/postgres`), and PostgreSQL
/// finds its files from where its program is.
fn bin_of(folder: &Path) -> Option<PathBuf> {
    let bin = folder.join("postgres").canonicalize().ok()?.parent()?.to_owned();
    ["initdb", "pg_ctl"].iter().all(|program| bin.join(program).is_file()).then_some(bin)
}

/// Debian's `/usr/lib/postgresql/<major>/bin`, PGDG's `/usr/pgsql-<major>/bin`, Homebrew's `postgresql@<major>/bin`;
/// newest first.
fn packaged_under(folder: &Path) -> Vec<PathBuf> {
    let (parent, prefix) = match folder.file_name().and_then(|name| name.to_str()) {
        Some("postgresql") => (folder, ""),
        Some("pgsql") => (folder.parent().unwrap_or(folder), "pgsql-"),
        _ => (folder, "postgresql@"),
    };
    let names = std::fs::read_dir(parent).into_iter().flatten().flatten();
    let mut found: Vec<(u16, PathBuf)> = names
        .filter_map(|entry| {
            let major = entry.file_name().to_str()?.strip_prefix(prefix)?.parse().ok()?;
            Some((major, entry.path().join("bin")))
        })
        .collect();
    found.sort();
    found.into_iter().rev().map(|(_, bin)| bin).collect()
}

fn examine(bin: &Path, account: &Account) -> Result<Installation, Rejection> {
    let rejected = |version, reason| Rejection { bin: bin.to_owned(), version, reason };
    let installation = installation::examine(Kind::Local, bin, account)
        .map_err(|(version, reason)| rejected(version.map(|version| version.text), reason))?;
    let version = Some(installation.version.text.clone());
    if installation.version.major < MINIMUM_MAJOR {
        return Err(rejected(version, Reason::TooOld));
    }
    if !installation.has_vector() {
        return Err(rejected(version, Reason::WithoutVector));
    }
    Ok(installation)
}

fn of_major(installation: Installation, cluster: Option<u16>) -> Result<Installation, Rejection> {
    match cluster {
        Some(cluster) if cluster != installation.version.major => Err(Rejection {
            bin: installation.bin,
            version: Some(installation.version.text),
            reason: Reason::OtherMajor { cluster },
        }),
        _ => Ok(installation),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::Version;

    fn installed(major: u16) -> Installation {
        let bin = PathBuf::from(format!("/usr/lib/postgresql/{major}/bin"));
        Installation {
            kind: Kind::Local,
            version: Version { major, text: format!("{major}.1") },
            share: bin.clone(),
            library: bin.clone(),
            bin,
        }
    }

    fn old() -> Rejection {
        Rejection {
            bin: PathBuf::from("/usr/lib/postgresql/15/bin"),
            version: Some("15.18".to_owned()),
            reason: Reason::TooOld,
        }
    }

    fn wanted(kind: Option<Kind>, cluster: Option<u16>) -> Wanted<'static> {
        Wanted { kind, cluster: cluster.map(|major| (Path::new("/p/.dev-db/data"), major)) }
    }

    fn major_of(choice: &Choice) -> u16 {
        match choice {
            Choice::Local(installation) => installation.version.major,
            Choice::Embedded => 0,
        }
    }

    #[test]
    fn the_first_that_fits_is_taken_and_the_ones_before_are_named() {
        let (choice, passed_over) =
            choose(wanted(None, None), vec![Err(old()), Ok(installed(17)), Ok(installed(16))]).unwrap();
        assert_eq!(major_of(&choice), 17);
        assert_eq!(
            passed_over[0].to_string(),
            "`/usr/lib/postgresql/15/bin` (15.18): PostgreSQL 16 or later is needed"
        );
    }

    #[test]
    fn without_a_local_one_the_embedded_one_is_taken() {
        let (choice, passed_over) = choose(wanted(None, None), vec![Err(old())]).unwrap();
        assert_eq!((choice, passed_over.len()), (Choice::Embedded, 1));
    }

    #[test]
    fn local_that_was_asked_for_is_that_or_an_error() {
        let error = choose(wanted(Some(Kind::Local), None), vec![Err(old())]).unwrap_err();
        assert!(error.to_string().contains("PostgreSQL 16 or later is needed"), "{error}");
        assert!(matches!(error, Error::NoLocal { .. }));
    }

    #[test]
    fn an_existing_cluster_gets_its_own_major() {
        let (choice, _) = choose(wanted(None, Some(16)), vec![Ok(installed(17)), Ok(installed(16))]).unwrap();
        assert_eq!(major_of(&choice), 16);
        let (choice, _) = choose(wanted(None, Some(18)), vec![Ok(installed(17))]).unwrap();
        assert_eq!(choice, Choice::Embedded);
    }

    #[test]
    fn no_binaries_of_the_clusters_major_is_an_error_that_names_both() {
        for kind in [None, Some(Kind::Embedded)] {
            let error = choose(wanted(kind, Some(16)), vec![]).unwrap_err();
            assert!(error.to_string().contains("PostgreSQL 16, but only 18.6 is at hand"), "{error}");
        }
        let error = choose(wanted(Some(Kind::Local), Some(18)), vec![Ok(installed(17))]).unwrap_err();
        assert!(error.to_string().contains("PostgreSQL 18, but only 17.1 is at hand"), "{error}");
    }
}
