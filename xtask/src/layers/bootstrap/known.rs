//! The extensions that the project knows, and which of them a database gets.

use super::error::ExtensionError;

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

/// An extension that the project knows.
pub(super) struct Known {
    pub(super) name: &'static str,
    /// What people call it.
    pub(super) title: &'static str,
    /// The library that must be in `shared_preload_libraries`, as it is written there.
    pub(super) preload: Option<&'static str>,
}

const KNOWN: [Known; 8] = [
    Known { name: "vector", title: "pgvector", preload: None },
    Known { name: "vectors", title: "pgvecto.rs", preload: Some("vectors.so") },
    Known { name: "vchord", title: "VectorChord", preload: Some("vchord") },
    Known { name: "timescaledb", title: "TimescaleDB", preload: Some("timescaledb") },
    Known { name: "pg_trgm", title: "PostgreSQL's contrib modules", preload: None },
    Known { name: "pg_stat_statements", title: "PostgreSQL's contrib modules", preload: None },
    Known { name: "pg_prewarm", title: "PostgreSQL's contrib modules", preload: None },
    Known { name: "bloom", title: "PostgreSQL's contrib modules", preload: None },
];

/// The one of that name.
pub(super) fn known(name: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|known| known.name == name)
}

/// The extensions of every database: four by name, and what the migrations can use.
pub(crate) fn wishes<'a>(
    required: &[String],
    used: impl IntoIterator<Item = &'a str>,
) -> Result<Vec<Wish>, ExtensionError> {
    if let Some(unknown) = required.iter().find(|name| !KNOWN.iter().any(|known| known.name == *name)) {
        return Err(ExtensionError::Unknown { name: unknown.clone(), known: names() });
    }
    let used: Vec<&str> = used.into_iter().collect();
    if let Some(unknown) = used.iter().find(|name| !KNOWN.iter().any(|known| known.name == **name)) {
        return Err(ExtensionError::UnknownInHeader { name: (*unknown).to_owned(), known: names() });
    }
    let wish = |known: &Known| {
        let is_required = known.name == "vector" || required.iter().any(|name| name == known.name);
        Wish { name: known.name, policy: if is_required { Policy::Required } else { Policy::Wanted } }
    };
    let is_wished = |known: &&Known| {
        matches!(known.name, "vector" | "vectors" | "vchord" | "timescaledb")
            || used.contains(&known.name)
            || required.iter().any(|name| name == known.name)
    };
    Ok(KNOWN.iter().filter(is_wished).map(wish).collect())
}

fn names() -> String {
    KNOWN.map(|known| known.name).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_are_four_and_what_is_used() {
        let names = |required: &[&str], used: &[&'static str]| {
            let required: Vec<String> = required.iter().map(|name| (*name).to_owned()).collect();
            wishes(&required, used.iter().copied())
                .map(|wishes| wishes.iter().map(|wish| wish.name).collect::<Vec<_>>())
        };
        assert_eq!(names(&[], &[]).unwrap(), ["vector", "vectors", "vchord", "timescaledb"]);
        assert_eq!(
            names(&["bloom"], &["pg_trgm"]).unwrap(),
            ["vector", "vectors", "vchord", "timescaledb", "pg_trgm", "bloom"]
        );
        assert!(
            matches!(names(&["pgvecto_rs"], &[]), Err(ExtensionError::Unknown { name, .. }) if name == "pgvecto_rs")
        );
        assert!(
            matches!(names(&[], &["plrust"]), Err(ExtensionError::UnknownInHeader { name, .. }) if name == "plrust")
        );
    }
}
