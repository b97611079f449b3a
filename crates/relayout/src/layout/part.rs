//! A table below a partitioned one: what it takes, and where it lives.

use database::Relation;

use super::leaf::Leaf;
use super::week::Week;

/// A leaf of any kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// By the hash of a column.
    Share(Leaf),
    /// By time.
    Week(Week),
    /// What is of none of the weeks. Its name is that of the last that there was when it was made, so that it can be exchanged by
    /// another one that takes less.
    Rest(Week),
}

impl Part {
    /// What a schema's name says of a leaf by time.
    pub(super) fn in_time(schema: &str) -> Option<Self> {
        let of = |prefix, part: fn(Week) -> Self| Week::of_digits(schema.strip_prefix(prefix)?).map(part);
        of("leaf_week_", Self::Week).or_else(|| of("leaf_rest_", Self::Rest))
    }

    /// The schema in which it lives, under the table's own name: see [`Leaf::schema`].
    #[must_use]
    pub fn schema(self) -> String {
        match self {
            Self::Share(leaf) => leaf.schema(),
            Self::Week(week) => format!("leaf_week_{}", week.digits()),
            Self::Rest(last) => format!("leaf_rest_{}", last.digits()),
        }
    }

    /// The schemas of the tables that hold its rows.
    #[must_use]
    pub fn storage(self) -> Vec<String> {
        match self {
            Self::Share(leaf) => leaf.storage(),
            Self::Week(_) | Self::Rest(_) => vec![self.schema()],
        }
    }

    /// Into how many parts it is split in turn; 1 is one table.
    pub(crate) fn paths(self) -> u32 {
        match self {
            Self::Share(leaf) => leaf.paths,
            Self::Week(_) | Self::Rest(_) => 1,
        }
    }

    /// A table's part of this kind.
    pub(crate) fn of(self, table: &str) -> Relation {
        Relation::new(self.schema(), table)
    }

    /// The tables that hold its rows.
    pub(crate) fn storage_of(self, table: &str) -> Vec<Relation> {
        self.storage().into_iter().map(|schema| Relation::new(schema, table)).collect()
    }

    /// What the one above it says of it.
    pub(crate) fn bound(self) -> String {
        match self {
            Self::Share(leaf) => leaf.bound(),
            Self::Week(week) => format!("FOR VALUES FROM ({}) TO ({})", week.since(), week.later(1).since()),
            Self::Rest(_) => "DEFAULT".to_owned(),
        }
    }
}

/// Schemas of parts, as a regular expression.
pub(crate) const SCHEMAS: &str = "^leaf_([0-9]+_[0-9]+(_paths_[0-9]+(_[0-9]+)?)?|(week|rest)_[0-9]{8})$";

/// Whether a schema of this name is one that [`Part::storage`] or [`Part::schema`] names.
#[must_use]
pub fn is_leaf_schema(name: &str) -> bool {
    let Some(rest) = name.strip_prefix("leaf_") else { return false };
    let parts: Vec<&str> = rest.split('_').collect();
    if let ["week" | "rest", digits] = parts.as_slice() {
        return digits.len() == 8 && digits.bytes().all(|it| it.is_ascii_digit());
    }
    let numbers = |parts: &[&str]| parts.iter().map(|part| part.parse::<u32>().ok()).collect::<Option<Vec<_>>>();
    let (share, paths) = match parts.split_at_checked(2) {
        Some((share, ["paths", paths @ ..])) if matches!(paths.len(), 1 | 2) => (share, paths),
        Some((share, [])) => (share, [].as_slice()),
        _ => return false,
    };
    numbers(paths).is_some() && matches!(numbers(share).as_deref(), Some([modulus, remainder]) if remainder < modulus)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_and_what_is_in_none_of_them_have_schemas_of_their_own() {
        let week = Week::new(2970);
        assert_eq!(Part::Week(week).schema(), "leaf_week_20261207");
        assert_eq!(Part::Rest(week).storage(), ["leaf_rest_20261207"]);
        assert_eq!(
            Part::Week(week).bound(),
            "FOR VALUES FROM ('2026-12-07 00:00:00+00') TO ('2026-12-14 00:00:00+00')"
        );
    }

    #[test]
    fn schemas_of_leaves_are_known_by_their_names() {
        for name in ["leaf_16_5", "leaf_16_5_paths_2", "leaf_16_5_paths_2_0", "leaf_32_21", "leaf_week_20261207"] {
            assert!(is_leaf_schema(name), "{name}");
        }
        for name in [
            "public",
            "leaf",
            "leaf_16",
            "leaf_5_16",
            "leaf_16_x",
            "leaf_16_5_roads_2",
            "leaf_16_5_paths_2_0_0",
            "leaf_week_2026",
            "leaf_week_2026120x",
        ] {
            assert!(!is_leaf_schema(name), "{name}");
        }
    }
}
