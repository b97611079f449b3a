//! Desired and actual layout of a table, as the database tells them.

use serde::Deserialize;
use sqlx::PgConnection;

use super::ddl::qualified;
use super::estimate::Estimate;
use super::job::decode;
use super::shape::{Leaf, Shape};

/// Desired and actual storage of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The table, in `public`.
    pub table: String,
    /// The layout that is declared.
    pub desired: Shape,
    /// The one that there is.
    pub actual: Shape,
    /// The column whose hash chooses the leaf.
    pub partition_key: String,
    /// The column by which a leaf is split that one partition key fills.
    pub path_key: String,
    /// What about the actual one is not of our making, and has to be mended by hand.
    pub damage: Vec<String>,
    /// How far a job has come that is not finished.
    pub phase: Option<String>,
    /// What the next job takes; none where there is none to come.
    pub estimate: Option<Estimate>,
}

impl Layout {
    /// Whether the table has it, and nothing of the way there is left.
    #[must_use]
    pub fn is_reached(&self) -> bool {
        self.phase.is_none() && self.damage.is_empty() && self.desired == self.actual
    }

    /// All that are declared, by table.
    pub(crate) async fn read_all(connection: &mut PgConnection) -> Result<Vec<Self>, sqlx::Error> {
        let mut layouts = read(connection, None).await?;
        for layout in layouts.iter_mut().filter(|layout| !layout.is_reached()) {
            layout.estimate = Some(Estimate::read(connection, layout).await?);
        }
        Ok(layouts)
    }

    /// The same table with other leaves declared.
    ///
    /// # Errors
    /// When a query fails.
    pub(crate) async fn wanting(&self, desired: &Shape, connection: &mut PgConnection) -> Result<Self, sqlx::Error> {
        let mut wanted = Self { desired: desired.clone(), ..self.clone() };
        wanted.estimate = Some(Estimate::read(connection, &wanted).await?);
        Ok(wanted)
    }

    /// The tables whose rows have to move on the way to the desired layout.
    pub(crate) fn sources(&self) -> Vec<String> {
        let moving = |leaf: &&Leaf| !self.desired.leaves().contains(leaf);
        let schemas = self.actual.leaves().iter().filter(moving).flat_map(|leaf| leaf.storage());
        match self.actual {
            Shape::Plain => vec![qualified("public", &self.table)],
            Shape::Hash { .. } => schemas.map(|schema| qualified(&schema, &self.table)).collect(),
        }
    }

    /// One table's; none if none is declared for it.
    pub(crate) async fn read(connection: &mut PgConnection, table: &str) -> Result<Option<Self>, sqlx::Error> {
        Ok(read(connection, Some(table)).await?.pop())
    }

    /// Declares leaves; nothing moves until they are converged to.
    pub(crate) async fn declare(&self, connection: &mut PgConnection, desired: &Shape) -> Result<(), sqlx::Error> {
        use sqlx::Connection as _;
        let mut transaction = connection.begin().await?;
        sqlx::query!("DELETE FROM db_service.layout_leaf WHERE table_name = $1", self.table)
            .execute(&mut *transaction)
            .await?;
        let leaves = desired.leaves();
        let count = i32::try_from(leaves.len()).unwrap_or(i32::MAX).max(1);
        if *desired == Shape::even(&self.partition_key, &self.path_key, count.cast_unsigned()) {
            sqlx::query!("UPDATE db_service.layout SET leaves = $2 WHERE table_name = $1", self.table, count)
                .execute(&mut *transaction)
                .await?;
        } else {
            let column =
                |field: fn(&Leaf) -> u32| leaves.iter().map(|leaf| field(leaf).cast_signed()).collect::<Vec<i32>>();
            sqlx::query!(
                "INSERT INTO db_service.layout_leaf (table_name, modulus, remainder, paths) \
                 SELECT $1, * FROM unnest($2::int[], $3::int[], $4::int[])",
                self.table,
                &column(|leaf| leaf.modulus),
                &column(|leaf| leaf.remainder),
                &column(|leaf| leaf.paths)
            )
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await
    }
}

async fn read(connection: &mut PgConnection, table: Option<&str>) -> Result<Vec<Layout>, sqlx::Error> {
    let rows = sqlx::query_file!("queries/layouts.sql", table).fetch_all(connection).await?;
    let layouts = rows.into_iter().map(|row| {
        let (key, path_key) = (&row.partition_key, &row.path_key);
        let desired = match row.desired {
            Some(leaves) if row.desired_leaves > 1 => Shape::of(key, path_key, decode(leaves)?),
            _ => Shape::even(key, path_key, u32::try_from(row.desired_leaves).unwrap_or(1)),
        };
        let found = row.actual.map(decode::<Vec<Found>>).transpose()?.unwrap_or_default();
        let (actual, damage) = actual(&row.table_name, (key, path_key), row.partitioned_by.as_deref(), &found);
        Ok(Layout {
            desired,
            actual,
            damage,
            table: row.table_name,
            partition_key: row.partition_key,
            path_key: row.path_key,
            phase: row.phase,
            estimate: None,
        })
    });
    layouts.collect()
}

/// A table below the one in `public`.
#[derive(Debug, Deserialize)]
struct Found {
    schema: String,
    name: String,
    modulus: Option<u32>,
    remainder: Option<u32>,
    detach_pending: bool,
    partitioned_by: Option<String>,
    /// How many parts it has that live where they should.
    parts: Option<u32>,
}

fn actual(
    table: &str,
    (key, path_key): (&str, &str),
    partitioned_by: Option<&str>,
    found: &[Found],
) -> (Shape, Vec<String>) {
    let hash_of = |column: &str| format!("HASH {column}");
    let Some(partitioned_by) = partitioned_by else { return (Shape::Plain, Vec::new()) };
    let mut damage = Vec::new();
    if partitioned_by != hash_of(key) {
        damage.push(format!("it is partitioned by {partitioned_by}, not by {}", hash_of(key)));
    }
    let mut leaves = Vec::new();
    for below in found {
        let name = format!("{}.{}", below.schema, below.name);
        let leaf = Leaf {
            paths: below.parts.unwrap_or(1),
            ..Leaf::new(below.modulus.unwrap_or(1), below.remainder.unwrap_or(0))
        };
        let by_path = below.partitioned_by.as_deref();
        if below.detach_pending {
            damage.push(format!(
                "its leaf `{name}` is half detached: run `ALTER TABLE public.{table} DETACH PARTITION {name} FINALIZE`, then attach it again"
            ));
        } else if below.name != table
            || below.schema != leaf.schema()
            || by_path.is_some_and(|by| by != hash_of(path_key))
        {
            damage.push(format!("its partition `{name}` is not one of ours, or lacks a part"));
        }
        leaves.push(leaf);
    }
    let shape = Shape::of(key, path_key, leaves);
    if damage.is_empty() && !shape.is_complete() {
        damage.extend(missing(&shape).iter().map(|leaf| {
            let name = format!("{}.{table}", leaf.schema());
            format!("its leaf `{name}` is gone or detached: if it is there, run `ALTER TABLE public.{table} ATTACH PARTITION {name} {}`", leaf.bound())
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

    fn read(found: &[Found]) -> (Shape, Vec<String>) {
        actual("t", ("repo_name", "path"), Some("HASH repo_name"), found)
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
        let (_, damage) = actual("t", ("repo_name", "path"), Some("LIST language"), &[found(1, 0)]);
        assert_eq!(damage[0], "it is partitioned by LIST language, not by HASH repo_name");
    }

    #[test]
    fn a_missing_leaf_is_named() {
        let (_, damage) = read(&[found(4, 0), found(8, 1), found(4, 2), found(4, 3)]);
        assert_eq!(damage.len(), 1);
        assert!(damage[0].contains("`leaf_8_5.t` is gone or detached"), "{damage:?}");
    }
}
