//! What is worth knowing about an installed version.

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

pub(super) const OLDEST_WITH_HNSW: [u32; 3] = [0, 5, 0];
const FIXED_OVERFLOW: [u32; 3] = [0, 8, 2];
const FIXED_REPAIR: [u32; 3] = [0, 8, 4];

pub(super) fn is_below(version: &str, limit: [u32; 3]) -> bool {
    let numbers = version.split('.').map(|part| part.parse().unwrap_or(0));
    numbers.chain(std::iter::repeat(0)).take(limit.len()).lt(limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_number() {
        assert!(note("vector", "0.8.1").unwrap().contains("CVE-2026-3172"));
        assert!(!note("vector", "0.8.3").unwrap().contains("CVE"));
        assert_eq!(note("vector", "0.8.4"), None);
        assert_eq!(note("vector", "0.10"), None);
        assert!(is_below("0.4.4", OLDEST_WITH_HNSW));
    }
}
