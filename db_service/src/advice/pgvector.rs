//! pgvector's version, and what is wrong with it.

use serde_json::json;

use super::measured::Measured;
use super::point::Advice;
use super::threshold::{READS_ON, SOUND, Version};

const RULE: &str = "pgvector";

pub(super) fn advise(measured: &Measured) -> Vec<Advice> {
    let (installed, offered) = (&measured.extensions.vector, &measured.extensions.vector_offered);
    let figures = json!({ "installed": installed, "offered": offered, "sound": "0.8.4" });
    let Some(version) = installed else {
        let message = "it is not installed in this database";
        return vec![Advice::fine(RULE, message, figures).why("`cargo xtask db-setup` installs it, or a superuser")];
    };
    let message = format!("version {version}");
    let faults = Version::of(version).map(faults).unwrap_or_default();
    if faults.is_empty() {
        return vec![Advice::fine(RULE, format!("{message}, which has no fault that is known here"), figures)];
    }
    // Its functions are those of the files; the version is what ALTER EXTENSION has noted.
    let has_files = offered.as_deref().and_then(Version::of).is_some_and(|offered| offered >= SOUND);
    let why = if has_files {
        "the server has newer files: a session uses them already, unless it is older than they are"
    } else {
        "install 0.8.4 or newer on the server first; a distribution may have mended its older one and kept the number"
    };
    vec![
        Advice::to_do(RULE, format!("{message}: {}", faults.join("; ")), figures)
            .why(why)
            .run(&["ALTER EXTENSION vector UPDATE"]),
    ]
}

fn faults(version: Version) -> Vec<&'static str> {
    let mut faults = Vec::new();
    if version.builds_unsafely() {
        faults.push("from 0.6.0 to 0.8.1 a parallel build of an HNSW index writes beyond its memory (CVE-2026-3172)");
    }
    if version < SOUND {
        faults.push("below 0.8.4 vacuum beside inserts may damage an HNSW index, and does not repair it");
    }
    if version < READS_ON {
        faults.push("below 0.8.0 an index cannot be read on past rows that do not qualify: every search is exact");
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_has_its_faults() {
        let count = |version: &str| faults(Version::of(version).unwrap()).len();
        assert_eq!(["0.5.1", "0.7.4", "0.8.0", "0.8.1", "0.8.2"].map(count), [2, 3, 2, 2, 1]);
        assert_eq!(["0.8.3", "0.8.4", "0.8.6", "1.0.0"].map(count), [1, 0, 0, 0]);
    }
}
