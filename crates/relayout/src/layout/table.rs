//! Desired and actual layout of a table, as the database tells them.

use database::{Relation, Worker, transaction};
use sqlx::PgConnection;
use sqlx::types::Json;
use terminal::Finding;

use super::actual::{Found, actual};
use super::estimate::Estimate;
use super::leaf::Leaf;
use super::shape::Shape;

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
    pub damage: Vec<Finding>,
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
    ///
    /// # Errors
    /// When a query fails.
    pub async fn read_all(connection: &mut PgConnection) -> Result<Vec<Self>, sqlx::Error> {
        let mut layouts = read(connection, None).await?;
        for layout in layouts.iter_mut().filter(|layout| !layout.is_reached()) {
            layout.estimate = Some(layout.estimated(connection).await?);
        }
        Ok(layouts)
    }

    /// The same table with other leaves declared.
    pub(crate) async fn wanting(&self, desired: &Shape, connection: &mut PgConnection) -> Result<Self, sqlx::Error> {
        let mut wanted = Self { desired: desired.clone(), ..self.clone() };
        wanted.estimate = Some(wanted.estimated(connection).await?);
        Ok(wanted)
    }

    async fn estimated(&self, connection: &mut PgConnection) -> Result<Estimate, sqlx::Error> {
        let estimate = Estimate::of(connection, &self.sources()).await?;
        estimate.as_measured(connection, &self.table, &self.desired).await
    }

    /// What is wanted, and what there is instead: `16 hash leaves; now one plain table, a job is in phase indexing`.
    #[must_use]
    pub fn way(&self) -> String {
        let Self { desired, actual, phase, .. } = self;
        let now = if desired == actual { String::new() } else { format!("; now {actual}") };
        match phase {
            Some(phase) => format!("{desired}{now}, a job is in phase {phase}"),
            None => format!("{desired}{now}"),
        }
    }

    /// The table itself.
    pub(crate) fn public(&self) -> Relation {
        Relation::public(&self.table)
    }

    /// The tables whose rows have to move on the way to the desired layout.
    pub(crate) fn sources(&self) -> Vec<Relation> {
        let moving = |leaf: &&Leaf| !self.desired.leaves().contains(leaf);
        match self.actual {
            Shape::Plain => vec![self.public()],
            Shape::Hash { .. } => {
                self.actual.leaves().iter().filter(moving).flat_map(|leaf| leaf.storage_of(&self.table)).collect()
            }
        }
    }

    /// One table's; none if none is declared for it.
    ///
    /// # Errors
    /// When a query fails.
    pub async fn read(connection: &mut PgConnection, table: &str) -> Result<Option<Self>, sqlx::Error> {
        Ok(read(connection, Some(table)).await?.pop())
    }

    /// Declares leaves; nothing moves until they are converged to.
    pub(crate) async fn declare(&self, worker: &mut Worker, desired: &Shape) -> Result<(), sqlx::Error> {
        transaction::run(worker, transaction::CHANGE, async |connection| {
            self.write(connection, desired).await.map(transaction::End::Commit)
        })
        .await
    }

    async fn write(&self, connection: &mut PgConnection, desired: &Shape) -> Result<(), sqlx::Error> {
        sqlx::query!("DELETE FROM db_service.layout_leaf WHERE table_name = $1", self.table)
            .execute(&mut *connection)
            .await?;
        let leaves = desired.leaves();
        let count = i32::try_from(leaves.len()).unwrap_or(i32::MAX).max(1);
        if *desired == Shape::even(&self.partition_key, &self.path_key, count.cast_unsigned()) {
            return sqlx::query!("UPDATE db_service.layout SET leaves = $2 WHERE table_name = $1", self.table, count)
                .execute(connection)
                .await
                .map(drop);
        }
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
        .execute(connection)
        .await
        .map(drop)
    }
}

async fn read(connection: &mut PgConnection, table: Option<&str>) -> Result<Vec<Layout>, sqlx::Error> {
    let rows = sqlx::query_file!("queries/layouts.sql", table).fetch_all(connection).await?;
    let layouts = rows.into_iter().map(|row| {
        let (key, path_key) = (&row.partition_key, &row.path_key);
        let desired = match row.desired {
            Some(Json(leaves)) if row.desired_leaves > 1 => Shape::of(key, path_key, leaves),
            _ => Shape::even(key, path_key, u32::try_from(row.desired_leaves).unwrap_or(1)),
        };
        let found = row.actual.map(|Json(found)| found).unwrap_or_default();
        let (actual, damage) = actual(&row.table_name, (key, path_key), row.partitioned_by.as_deref(), &found);
        Layout {
            desired,
            actual,
            damage,
            table: row.table_name,
            partition_key: row.partition_key,
            path_key: row.path_key,
            phase: row.phase,
            estimate: None,
        }
    });
    Ok(layouts.collect())
}
