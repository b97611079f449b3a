//! Which extensions a database gets, and why one is left out. Pure; `apply` does the work.

use db_service::Exit;
use db_service::step::{Status, Step};

use super::{DatabaseFacts, ServerFacts};

/// What a missing extension means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Policy {
    /// Failure.
    Required,
    /// Installed where the server offers it, otherwise reported.
    Wanted,
}

/// An extension and what its absence means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wish {
    pub(crate) name: &'static str,
    pub(crate) policy: Policy,
}

/// What is to be done about an extension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Keep { version: String },
    Create { version: String },
    LeaveOut(Absence),
}

/// Why an extension cannot be had, and what would change that.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub(crate) struct Absence {
    pub(crate) reason: String,
    pub(crate) remedy: String,
}

/// What stops this layer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExtensionError {
    #[error("cannot install extension `{name}` in database `{database}`")]
    Required {
        name: &'static str,
        database: String,
        #[source]
        why: Absence,
    },
    #[error("`--require {0}` names no extension that the project knows")]
    Unknown(String),
    #[error("the header of a migration uses extension `{0}`, which the project does not know")]
    UnknownInHeader(String),
    #[error("PostgreSQL {found} is too old: {oldest} is the oldest that works")]
    TooOld { found: String, oldest: i32 },
    #[error("database `{database}` has the encoding {encoding}, not UTF8")]
    Encoding { database: String, encoding: String },
}

impl ExtensionError {
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Unknown(_) => Exit::Usage,
            Self::UnknownInHeader(_) => Exit::Violation,
            _ => Exit::Failed,
        }
    }

    pub(crate) fn hint(&self) -> String {
        match self {
            Self::Required { why, .. } => why.remedy.clone(),
            Self::Unknown(_) | Self::UnknownInHeader(_) => {
                format!("known are {}", KNOWN.map(|known| known.name).join(", "))
            }
            Self::TooOld { .. } => "use a newer server; `cargo xtask db-setup --server embedded` brings its own".into(),
            Self::Encoding { .. } => {
                "create it anew with `ENCODING 'UTF8' TEMPLATE template0`; an encoding cannot be changed".into()
            }
        }
    }
}

/// An extension that the project knows.
struct Known {
    name: &'static str,
    /// What people call it.
    title: &'static str,
    /// The library that must be in `shared_preload_libraries`, as it is written there.
    preload: Option<&'static str>,
}

const KNOWN: [Known; 7] = [
    Known { name: "vector", title: "pgvector", preload: None },
    Known { name: "vectors", title: "pgvecto.rs", preload: Some("vectors.so") },
    Known { name: "timescaledb", title: "TimescaleDB", preload: Some("timescaledb") },
    Known { name: "pg_trgm", title: "PostgreSQL's contrib modules", preload: None },
    Known { name: "pg_stat_statements", title: "PostgreSQL's contrib modules", preload: None },
    Known { name: "pg_prewarm", title: "PostgreSQL's contrib modules", preload: None },
    Known { name: "bloom", title: "PostgreSQL's contrib modules", preload: None },
];

/// The extensions of every database: three by name, and what the migrations can use.
pub(crate) fn wishes<'a>(
    required: &[String],
    used: impl IntoIterator<Item = &'a str>,
) -> Result<Vec<Wish>, ExtensionError> {
    if let Some(unknown) = required.iter().find(|name| !KNOWN.iter().any(|known| known.name == *name)) {
        return Err(ExtensionError::Unknown(unknown.clone()));
    }
    let used: Vec<&str> = used.into_iter().collect();
    if let Some(unknown) = used.iter().find(|name| !KNOWN.iter().any(|known| known.name == **name)) {
        return Err(ExtensionError::UnknownInHeader((*unknown).to_owned()));
    }
    let wish = |known: &Known| {
        let is_required = known.name == "vector" || required.iter().any(|name| name == known.name);
        Wish { name: known.name, policy: if is_required { Policy::Required } else { Policy::Wanted } }
    };
    let is_wished = |known: &&Known| {
        matches!(known.name, "vector" | "vectors" | "timescaledb")
            || used.contains(&known.name)
            || required.iter().any(|name| name == known.name)
    };
    Ok(KNOWN.iter().filter(is_wished).map(wish).collect())
}

/// Looks before it leaps: an extension that needs preloading ends the connection when it is created without.
pub(super) fn plan(
    wish: &Wish,
    server: &ServerFacts,
    database: &DatabaseFacts,
    own_server: bool,
) -> Result<Action, Absence> {
    if let Some(version) = database.extensions.get(wish.name) {
        return Ok(Action::Keep { version: version.clone() });
    }
    match absence(wish.name, server, own_server) {
        None => Ok(Action::Create { version: server.offered.get(wish.name).cloned().unwrap_or_default() }),
        Some(absence) if wish.policy == Policy::Required => Err(absence),
        Some(absence) => Ok(Action::LeaveOut(absence)),
    }
}

impl Action {
    pub(super) fn is_done(&self) -> bool {
        !matches!(self, Self::Create { .. })
    }

    /// The version that there is, or will be.
    pub(super) fn version(&self) -> Option<&str> {
        match self {
            Self::Keep { version } | Self::Create { version } => Some(version),
            Self::LeaveOut(_) => None,
        }
    }

    pub(super) fn describe(&self, step: Step) -> Step {
        match self {
            // Not known while there is no server to ask.
            Self::Create { version } if version.is_empty() => step,
            Self::Keep { version } | Self::Create { version } => step.detail(version),
            Self::LeaveOut(absence) => absence.describe(step),
        }
    }
}

impl Absence {
    pub(super) fn describe(&self, step: Step) -> Step {
        Step { status: Status::LeftOut, ..step }.detail(&self.reason).remedy(&self.remedy)
    }

    /// The server has the files and the role may not use them.
    pub(super) fn no_right(name: &str) -> Self {
        Self {
            reason: "the role may not create it".into(),
            remedy: format!("have a superuser run `CREATE EXTENSION {name}` in this database"),
        }
    }

    /// The library is not loaded; the role may not read what is.
    pub(super) fn not_preloaded(library: &str, preloaded: Option<&[String]>, own_server: bool) -> Self {
        let reason = format!("library `{library}` is not in `shared_preload_libraries`");
        let remedy = if own_server {
            "run `cargo xtask db-server stop`, then the same command again: a start preloads what the server has".into()
        } else {
            let already = preloaded.unwrap_or_default().iter().map(String::as_str);
            // Each a literal of its own: `= 'a,b'` is one library, and the server would not start.
            let list: Vec<String> = already.chain([library]).map(db_service::quote::literal).collect();
            format!(
                "run `ALTER SYSTEM SET shared_preload_libraries = {}`, restart PostgreSQL, then run the same command again",
                list.join(", ")
            )
        };
        Self { reason, remedy }
    }
}

/// Whether creating it must happen on a connection of its own, because it may end that connection.
pub(super) fn preload_of(name: &str) -> Option<&'static str> {
    KNOWN.iter().find(|known| known.name == name).and_then(|known| known.preload)
}

/// The libraries of a `shared_preload_libraries` setting, as they are written there, without quotes.
pub(super) fn preloaded(setting: &str) -> Vec<String> {
    setting
        .split(',')
        .map(|library| library.trim().trim_matches('"').to_owned())
        .filter(|library| !library.is_empty())
        .collect()
}

fn absence(name: &str, server: &ServerFacts, own_server: bool) -> Option<Absence> {
    let known = KNOWN.iter().find(|known| known.name == name)?;
    let Some(version) = server.offered.get(name) else {
        return Some(Absence {
            reason: "this server does not offer it".into(),
            remedy: remedy_for_missing(known, server),
        });
    };
    if name == "vector" && is_below(version, OLDEST_WITH_HNSW) {
        return Some(Absence {
            reason: format!("the server offers version {version}; HNSW indexes came with 0.5.0"),
            remedy: remedy_for_missing(known, server),
        });
    }
    let (library, preloaded) = (known.preload?, server.preload.as_deref()?);
    let is_loaded = preloaded.iter().any(|loaded| stem(loaded) == stem(library));
    (!is_loaded).then(|| Absence::not_preloaded(library, Some(preloaded), own_server))
}

fn remedy_for_missing(known: &Known, server: &ServerFacts) -> String {
    let major = server.version_number / 10_000;
    match known.name {
        "vector" => format!("install pgvector on the server (Debian: `postgresql-{major}-pgvector`)"),
        "vectors" if major > 17 => "pgvecto.rs exists for PostgreSQL 14 to 17 only".into(),
        "timescaledb" => format!("install TimescaleDB on the server (Debian: `postgresql-{major}-timescaledb`)"),
        _ => format!("install {} on the server", known.title),
    }
}

/// What is worth knowing about an installed version.
pub(super) fn note(name: &str, version: &str) -> Option<String> {
    match name {
        "vector" if is_below(version, FIXED_OVERFLOW) => Some(format!(
            "pgvector {version} has CVE-2026-3172 (parallel HNSW builds) and HNSW repair bugs: update the server's package to 0.8.4 or later"
        )),
        "vector" if is_below(version, FIXED_REPAIR) => {
            Some(format!("pgvector {version} has HNSW repair bugs: update the server's package to 0.8.4 or later"))
        }
        "vectors" => Some("pgvecto.rs is no longer developed; its authors name VectorChord as its successor".into()),
        _ => None,
    }
}

const OLDEST_WITH_HNSW: [u32; 3] = [0, 5, 0];
const FIXED_OVERFLOW: [u32; 3] = [0, 8, 2];
const FIXED_REPAIR: [u32; 3] = [0, 8, 4];

fn is_below(version: &str, limit: [u32; 3]) -> bool {
    let numbers = version.split('.').map(|part| part.parse().unwrap_or(0));
    numbers.chain(std::iter::repeat(0)).take(limit.len()).lt(limit)
}

/// `$libdir/vectors.so` and `vectors` are the same library.
fn stem(library: &str) -> &str {
    let name = library.rsplit('/').next().unwrap_or(library);
    name.strip_suffix(".so").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(preload: Option<&str>, offered: &[&str]) -> ServerFacts {
        ServerFacts {
            version_number: 170_011,
            version: "17.11".into(),
            preload: preload.map(preloaded),
            offered: offered.iter().map(|name| ((*name).to_owned(), "0.8.6".to_owned())).collect(),
        }
    }

    fn planned(name: &str, policy: Policy, server: &ServerFacts) -> Result<Action, Absence> {
        let wish = Wish { name: KNOWN.iter().find(|known| known.name == name).unwrap().name, policy };
        plan(&wish, server, &DatabaseFacts::default(), false)
    }

    fn created() -> Action {
        Action::Create { version: "0.8.6".into() }
    }

    #[test]
    fn versions_are_compared_by_number() {
        assert!(note("vector", "0.8.1").unwrap().contains("CVE-2026-3172"));
        assert!(!note("vector", "0.8.3").unwrap().contains("CVE"));
        assert_eq!(note("vector", "0.8.4"), None);
        assert_eq!(note("vector", "0.10"), None);
        let mut old = server(Some(""), &["vector"]);
        old.offered.insert("vector".into(), "0.4.4".into());
        assert!(planned("vector", Policy::Required, &old).unwrap_err().reason.contains("0.4.4"));
    }

    #[test]
    fn what_the_server_offers_is_created() {
        assert_eq!(planned("vector", Policy::Required, &server(Some(""), &["vector"])), Ok(created()));
    }

    #[test]
    fn absence_is_failure_only_where_required() {
        let empty = server(Some(""), &[]);
        assert!(planned("vector", Policy::Required, &empty).unwrap_err().remedy.contains("postgresql-17-pgvector"));
        assert!(matches!(planned("vectors", Policy::Wanted, &empty), Ok(Action::LeaveOut(_))));
    }

    #[test]
    fn the_remedy_for_a_missing_preload_keeps_what_is_loaded() {
        let server = server(Some("timescaledb, \"pg_stat_statements\""), &["vectors"]);
        let absence = planned("vectors", Policy::Required, &server).unwrap_err();
        assert_eq!(absence.reason, "library `vectors.so` is not in `shared_preload_libraries`");
        assert!(absence.remedy.contains("= 'timescaledb', 'pg_stat_statements', 'vectors.so'`"), "{}", absence.remedy);
    }

    #[test]
    fn a_library_is_recognised_however_it_is_written() {
        for setting in ["vectors", "vectors.so", "$libdir/vectors.so", "a, \"vectors.so\""] {
            assert_eq!(
                planned("vectors", Policy::Wanted, &server(Some(setting), &["vectors"])),
                Ok(created()),
                "{setting}"
            );
        }
    }

    #[test]
    fn a_hidden_setting_is_found_out_by_trying() {
        assert_eq!(planned("timescaledb", Policy::Wanted, &server(None, &["timescaledb"])), Ok(created()));
    }

    #[test]
    fn wishes_are_three_and_what_is_used() {
        let names = |required: &[&str], used: &[&'static str]| {
            let required: Vec<String> = required.iter().map(|name| (*name).to_owned()).collect();
            wishes(&required, used.iter().copied())
                .map(|wishes| wishes.iter().map(|wish| wish.name).collect::<Vec<_>>())
        };
        assert_eq!(names(&[], &[]).unwrap(), ["vector", "vectors", "timescaledb"]);
        assert_eq!(names(&["bloom"], &["pg_trgm"]).unwrap(), ["vector", "vectors", "timescaledb", "pg_trgm", "bloom"]);
        assert!(matches!(names(&["pgvecto_rs"], &[]), Err(ExtensionError::Unknown(name)) if name == "pgvecto_rs"));
        assert!(matches!(names(&[], &["plrust"]), Err(ExtensionError::UnknownInHeader(name)) if name == "plrust"));
    }
}
