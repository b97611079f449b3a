//! What is to be done about an extension. Pure; `apply` does the work.

use terminal::step::Step;

use super::absence::Absence;
use super::facts::{DatabaseFacts, NextPreload, ServerFacts};
use super::known::{Known, Policy, Wish, known};
use super::preload;
use super::version::{OLDEST_WITH_HNSW, is_below};

/// What is to be done about an extension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Keep { version: String },
    Create { version: String },
    LeaveOut(Absence),
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

/// Why it cannot be had; none if it can.
fn absence(name: &str, server: &ServerFacts, own_server: bool) -> Option<Absence> {
    let known = known(name)?;
    let Some(version) = server.offered.get(name) else {
        return Some(Absence {
            reason: "this server does not offer it".into(),
            remedy: remedy_for_missing(known, server, own_server),
        });
    };
    if name == "vector" && is_below(version, OLDEST_WITH_HNSW) {
        return Some(Absence {
            reason: format!("the server offers version {version}; HNSW indexes came with 0.5.0"),
            remedy: remedy_for_missing(known, server, own_server),
        });
    }
    let (library, preloaded) = (known.preload?, server.preload.as_deref()?);
    (!preload::is_among(library, preloaded)).then(|| match &server.next_preload {
        NextPreload::Files(next) if preload::is_among(library, next) => Absence::not_restarted(library),
        NextPreload::Files(next) => Absence::not_preloaded(library, &all_preloaded(next, server), own_server),
        NextPreload::Unknown => Absence::not_preloaded(library, &all_preloaded(preloaded, server), own_server),
        NextPreload::CommandLine => Absence::not_started_with(library, &all_preloaded(preloaded, server)),
    })
}

/// What is preloaded and what all extensions need that the server offers: one remedy for them all, or each would take away
/// what the one before has added.
fn all_preloaded(preloaded: &[String], server: &ServerFacts) -> Vec<String> {
    let missing =
        server.offered.keys().filter(|name| preload::lacks(name, preloaded)).filter_map(|name| preload::of(name));
    preloaded.iter().cloned().chain(missing.map(str::to_owned)).collect()
}

fn remedy_for_missing(known: &Known, server: &ServerFacts, own_server: bool) -> String {
    let major = server.version_number / 10_000;
    match known.name {
        "vector" => format!("install pgvector on the server (Debian: `postgresql-{major}-pgvector`)"),
        "vectors" if major > 17 => "pgvecto.rs exists for PostgreSQL 14 to 17 only".into(),
        // No package reaches a server that was fetched with pip.
        "timescaledb" if own_server => "`cargo xtask db-setup --server container` brings a server that has it".into(),
        "timescaledb" => format!("install TimescaleDB on the server (Debian: `postgresql-{major}-timescaledb`)"),
        _ => format!("install {} on the server", known.title),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(preload: Option<&str>, offered: &[&str]) -> ServerFacts {
        ServerFacts {
            version_number: 170_011,
            version: "17.11".into(),
            preload: preload.map(super::preload::libraries),
            next_preload: NextPreload::Unknown,
            offered: offered.iter().map(|name| ((*name).to_owned(), "0.8.6".to_owned())).collect(),
        }
    }

    fn planned(name: &str, policy: Policy, server: &ServerFacts) -> Result<Action, Absence> {
        let wish = Wish { name: known(name).unwrap().name, policy };
        plan(&wish, server, &DatabaseFacts::default(), false)
    }

    fn created() -> Action {
        Action::Create { version: "0.8.6".into() }
    }

    #[test]
    fn one_without_hnsw_cannot_be_had() {
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
    fn what_waits_for_a_restart_is_kept() {
        let mut server = server(Some(""), &["timescaledb", "vectors"]);
        server.next_preload = NextPreload::Files(super::preload::libraries("auto_explain, timescaledb"));
        let absence = planned("timescaledb", Policy::Required, &server).unwrap_err();
        assert_eq!(absence.reason, "library `timescaledb` is not loaded before PostgreSQL is restarted");
        let remedy = planned("vectors", Policy::Required, &server).unwrap_err().remedy;
        assert!(remedy.contains("= 'auto_explain', 'timescaledb', 'vectors.so'`"), "{remedy}");
    }

    #[test]
    fn two_that_are_missing_have_one_remedy() {
        let server = server(Some("other"), &["timescaledb", "vectors"]);
        let remedies =
            ["vectors", "timescaledb"].map(|name| planned(name, Policy::Required, &server).unwrap_err().remedy);
        assert_eq!(remedies[0], remedies[1]);
        assert!(remedies[0].contains("= 'other', 'timescaledb', 'vectors.so'`"), "{}", remedies[0]);
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
}
