//! The layout that a table has, as the catalog tells it, and what about it is not of our making.

use database::Relation;
use serde::Deserialize;
use terminal::Finding;

use super::leaf::Leaf;
use super::shape::Shape;

/// A table below the one in `public`.
#[derive(Debug, Deserialize)]
pub(super) struct Found {
    schema: String,
    name: String,
    modulus: Option<u32>,
    remainder: Option<u32>,
    detach_pending: bool,
    partitioned_by: Option<String>,
    /// How many parts it has that live where they should.
    parts: Option<u32>,
}

/// What was found below a table as a shape, and what is damaged about it.
pub(super) fn actual(
    table: &str,
    (key, path_key): (&str, &str),
    partitioned_by: Option<&str>,
    found: &[Found],
) -> (Shape, Vec<Finding>) {
    let hash_of = |column: &str| format!("HASH {column}");
    let Some(partitioned_by) = partitioned_by else { return (Shape::Plain, Vec::new()) };
    let mut damage = Vec::new();
    if partitioned_by != hash_of(key) {
        let message = format!("it is partitioned by {partitioned_by}, not by {}", hash_of(key));
        damage.push(Finding::new("partitioned-otherwise", message));
    }
    let mut leaves = Vec::new();
    for below in found {
        let name = Relation::new(&below.schema, &below.name).plain();
        let leaf = Leaf {
            paths: below.parts.unwrap_or(1),
            ..Leaf::new(below.modulus.unwrap_or(1), below.remainder.unwrap_or(0))
        };
        let by_path = below.partitioned_by.as_deref();
        if below.detach_pending {
            let fix = format!("ALTER TABLE public.{table} DETACH PARTITION {name} FINALIZE");
            let message = format!("its leaf `{name}` is half detached: run `{fix}`, then attach it again");
            damage.push(Finding::new("leaf-half-detached", message).fix(fix));
        } else if below.name != table
            || below.schema != leaf.schema()
            || by_path.is_some_and(|by| by != hash_of(path_key))
        {
            let message = format!("its partition `{name}` is not one of ours, or lacks a part");
            damage.push(Finding::new("foreign-partition", message));
        }
        leaves.push(leaf);
    }
    let shape = Shape::of(key, path_key, leaves);
    if damage.is_empty() && !shape.is_complete() {
        damage.extend(missing(&shape).into_iter().map(|leaf| {
            let name = leaf.of(table).plain();
            let fix = format!("ALTER TABLE public.{table} ATTACH PARTITION {name} {}", leaf.bound());
            let message = format!("its leaf `{name}` is gone or detached: if it is there, run `{fix}`");
            Finding::new("leaf-missing", message).fix(fix)
        }));
    }
    (shape, damage)
}

/// The coarsest leaves that are missing.
fn missing(shape: &Shape) -> Vec<Leaf> {
    let mut open = vec![Leaf::new(1, 0)];
    let mut missing = Vec::new();
    let largest = shape.leaves().iter().map(|leaf| leaf.modulus).max().unwrap_or(1);
    while let Some(leaf) = open.pop() {
        let below = shape.leaves().iter().filter(|other| leaf.covers(**other)).count();
        let is_there = shape.leaves().iter().any(|other| other.covers(leaf));
        if !is_there && below == 0 && leaf.modulus > 1 {
            missing.push(leaf);
        } else if !is_there && leaf.modulus < largest {
            open.extend(leaf.split(2));
        }
    }
    missing.sort_unstable();
    missing
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(modulus: u32, remainder: u32) -> Found {
        Found {
            schema: format!("leaf_{modulus}_{remainder}"),
            name: "t".into(),
            modulus: Some(modulus),
            remainder: Some(remainder),
            detach_pending: false,
            partitioned_by: None,
            parts: None,
        }
    }

    fn said((shape, damage): (Shape, Vec<Finding>)) -> (Shape, Vec<String>) {
        (shape, damage.into_iter().map(|finding| finding.message).collect())
    }

    fn read(found: &[Found]) -> (Shape, Vec<String>) {
        said(actual("t", ("repo_name", "path"), Some("HASH repo_name"), found))
    }

    #[test]
    fn leaves_are_known_by_their_schemas() {
        let by_path = Found {
            schema: "leaf_2_1_paths_4".into(),
            partitioned_by: Some("HASH path".into()),
            parts: Some(4),
            ..found(2, 1)
        };
        let (shape, damage) = read(&[found(2, 0), by_path]);
        assert_eq!(shape.leaves(), [Leaf::new(2, 0), Leaf { paths: 4, ..Leaf::new(2, 1) }]);
        assert_eq!(damage, Vec::<String>::new());
    }

    #[test]
    fn what_is_not_ours_is_damage() {
        let (_, damage) = read(&[found(2, 0), Found { schema: "public".into(), ..found(2, 1) }]);
        assert_eq!(damage, ["its partition `public.t` is not one of ours, or lacks a part"]);
        let (_, damage) = read(&[found(2, 0), Found { detach_pending: true, ..found(2, 1) }]);
        assert!(damage[0].contains("DETACH PARTITION leaf_2_1.t FINALIZE"));
        let (_, damage) = said(actual("t", ("repo_name", "path"), Some("LIST language"), &[found(1, 0)]));
        assert_eq!(damage[0], "it is partitioned by LIST language, not by HASH repo_name");
    }

    #[test]
    fn a_missing_leaf_is_named() {
        let (_, damage) = read(&[found(4, 0), found(8, 1), found(4, 2), found(4, 3)]);
        assert_eq!(damage.len(), 1);
        assert!(damage[0].contains("`leaf_8_5.t` is gone or detached"), "{damage:?}");
    }
}
