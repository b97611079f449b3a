//! The layout that a table has, as the catalog tells it, and what about it is not of our making.

use database::Relation;
use serde::Deserialize;
use terminal::Finding;

use super::division::{Division, by_hash};
use super::leaf::Leaf;
use super::part::Part;
use super::shape::Shape;
use super::week::Week;

/// A table below the one in `public`.
#[derive(Debug, Deserialize)]
pub(super) struct Found {
    schema: String,
    name: String,
    modulus: Option<u32>,
    remainder: Option<u32>,
    /// The moments from and to which it takes rows, in seconds.
    between: Option<(i64, i64)>,
    #[serde(default)]
    is_default: bool,
    detach_pending: bool,
    partitioned_by: Option<String>,
    /// How many parts it has that live where they should.
    parts: Option<u32>,
}

/// What was found below a table as a shape, and what is damaged about it.
pub(super) fn actual(
    table: &str,
    division: &Division,
    partitioned_by: Option<&str>,
    found: &[Found],
) -> (Shape, Vec<Finding>) {
    let Some(partitioned_by) = partitioned_by else { return (Shape::Plain, Vec::new()) };
    let mut damage = Vec::new();
    let wanted = division.method();
    if partitioned_by != wanted {
        let message = format!("it is partitioned by {partitioned_by}, not by {wanted}");
        damage.push(Finding::new("partitioned-otherwise", message));
    }
    for below in found {
        let name = Relation::new(&below.schema, &below.name).plain();
        if below.detach_pending {
            let fix = format!("ALTER TABLE public.{table} DETACH PARTITION {name} FINALIZE");
            let message = format!("its leaf `{name}` is half detached: run `{fix}`, then attach it again");
            damage.push(Finding::new("leaf-half-detached", message).fix(fix));
        } else if below.name != table || !below.is_one_of(division) {
            let message = format!("its partition `{name}` is not one of ours, or lacks a part");
            damage.push(Finding::new("foreign-partition", message));
        }
    }
    let (shape, missing) = match division {
        Division::Hash { key, path_key } => {
            let shape = Shape::of(key, path_key, found.iter().map(Found::share).collect());
            let missing = missing(&shape).into_iter().map(Part::Share).collect();
            (shape, missing)
        }
        Division::Weeks { key } => in_weeks(key, found),
    };
    if damage.is_empty() {
        damage.extend(missing.into_iter().map(|part| {
            let name = part.of(table).plain();
            let fix = format!("ALTER TABLE public.{table} ATTACH PARTITION {name} {}", part.bound());
            let message = format!("its leaf `{name}` is gone or detached: if it is there, run `{fix}`");
            Finding::new("leaf-missing", message).fix(fix)
        }));
    }
    (shape, damage)
}

impl Found {
    fn share(&self) -> Leaf {
        Leaf { paths: self.parts.unwrap_or(1), ..Leaf::new(self.modulus.unwrap_or(1), self.remainder.unwrap_or(0)) }
    }

    /// Whether it lies where a leaf of such rows does.
    fn is_one_of(&self, division: &Division) -> bool {
        let by_path = self.partitioned_by.as_deref();
        match division {
            Division::Hash { path_key, .. } => {
                self.schema == self.share().schema() && by_path.is_none_or(|by| by == by_hash(path_key))
            }
            Division::Weeks { .. } => by_path.is_none() && self.in_time().is_some(),
        }
    }

    /// What its schema says that it is, where that is true.
    fn in_time(&self) -> Option<Part> {
        Part::in_time(&self.schema).filter(|part| match part {
            Part::Week(week) => self.between == Some((week.second(), week.later(1).second())),
            Part::Rest(_) => self.is_default,
            Part::Share(_) => false,
        })
    }
}

/// Leaves by week, and what is missing: where there is none for all other times, rows would be refused.
fn in_weeks(key: &str, found: &[Found]) -> (Shape, Vec<Part>) {
    let parts: Vec<Part> = found.iter().filter_map(Found::in_time).collect();
    let mut weeks: Vec<Week> =
        parts.iter().filter_map(|it| if let Part::Week(week) = it { Some(*week) } else { None }).collect();
    weeks.sort_unstable();
    let last = weeks.last().copied().unwrap_or(Week::new(0));
    let rest = parts.iter().find_map(|it| if let Part::Rest(last) = it { Some(*last) } else { None });
    let missing = if rest.is_none() { vec![Part::Rest(last)] } else { Vec::new() };
    (Shape::Weeks { key: key.to_owned(), weeks, rest: rest.unwrap_or(last) }, missing)
}

/// The coarsest leaves that are missing.
fn missing(shape: &Shape) -> Vec<Leaf> {
    if shape.is_complete() {
        return Vec::new();
    }
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
            between: None,
            is_default: false,
            detach_pending: false,
            partitioned_by: None,
            parts: None,
        }
    }

    fn said((shape, damage): (Shape, Vec<Finding>)) -> (Shape, Vec<String>) {
        (shape, damage.into_iter().map(|finding| finding.message).collect())
    }

    fn by_repository() -> Division {
        Division::Hash { key: "repo_name".into(), path_key: "path".into() }
    }

    fn read(found: &[Found]) -> (Shape, Vec<String>) {
        said(actual("t", &by_repository(), Some("HASH repo_name"), found))
    }

    fn read_weeks(found: &[Found]) -> (Shape, Vec<String>) {
        said(actual("t", &Division::Weeks { key: "at".into() }, Some("RANGE at"), found))
    }

    fn in_time(schema: &str, between: Option<(i64, i64)>) -> Found {
        Found {
            schema: schema.into(),
            modulus: None,
            remainder: None,
            between,
            is_default: between.is_none(),
            ..found(1, 0)
        }
    }

    #[test]
    fn weeks_are_known_by_schema_and_bounds() {
        let from = Week::new(2970).second();
        let week = || in_time("leaf_week_20261207", Some((from, from + 7 * 86400)));
        let rest = || in_time("leaf_rest_20261207", None);
        let (shape, damage) = read_weeks(&[rest(), week()]);
        assert_eq!(shape, Shape::weeks("at", vec![Week::new(2970)], &Shape::Plain));
        assert_eq!(damage, Vec::<String>::new());
        let (_, damage) = read_weeks(&[rest(), in_time("leaf_week_20261207", Some((from, from + 86400)))]);
        assert_eq!(damage, ["its partition `leaf_week_20261207.t` is not one of ours, or lacks a part"]);
        let (_, damage) = read_weeks(&[rest(), in_time("leaf_week_20261208", Some((from, from + 7 * 86400)))]);
        assert_eq!(damage.len(), 1, "no Monday");
        let (_, damage) = read_weeks(&[week()]);
        assert!(damage[0].ends_with("run `ALTER TABLE public.t ATTACH PARTITION leaf_rest_20261207.t DEFAULT`"));
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
        let (_, damage) = said(actual("t", &by_repository(), Some("LIST language"), &[found(1, 0)]));
        assert_eq!(damage[0], "it is partitioned by LIST language, not by HASH repo_name");
    }

    #[test]
    fn a_missing_leaf_is_named() {
        let (_, damage) = read(&[found(4, 0), found(8, 1), found(4, 2), found(4, 3)]);
        assert_eq!(damage.len(), 1);
        assert!(damage[0].contains("`leaf_8_5.t` is gone or detached"), "{damage:?}");
    }
}
