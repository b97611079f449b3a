//! Desired and actual layout of a table, as the database tells them.

use database::quote::identifier;
use database::{Relation, Worker, transaction};
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, PgConnection};
use terminal::Finding;

use super::actual::{Found, actual};
use super::division::Division;
use super::estimate::Estimate;
use super::leaf::Leaf;
use super::shape::Shape;
use super::week::Week;

/// Desired and actual storage of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The table, in `public`.
    pub table: String,
    /// The layout that is declared.
    pub desired: Shape,
    /// The one that there is.
    pub actual: Shape,
    /// By what it is divided, where it is in leaves.
    pub division: Division,
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
        match self.actual {
            Shape::Plain => vec![self.public()],
            Shape::Hash { .. } | Shape::Weeks { .. } => {
                let moving = self.actual.parts_without(&self.desired).into_iter();
                moving.flat_map(|leaf| leaf.storage_of(&self.table)).collect()
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

    /// The one that a table has once somebody declares that it is divided by the week of a column; or its own, where it is divided
    /// by something else.
    ///
    /// # Errors
    /// When a query fails.
    pub async fn by_week(connection: &mut PgConnection, table: &str, key: &str) -> Result<Self, sqlx::Error> {
        let wanted = Division::Weeks { key: key.to_owned() };
        match Self::read(connection, table).await? {
            Some(other) if other.division != wanted => Ok(other),
            _ => in_weeks(connection, table, key.to_owned(), true).await,
        }
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
        if let Division::Weeks { key } = &self.division {
            let leaves = if *desired == Shape::Plain { 1 } else { IN_WEEKS };
            return sqlx::query_file!("queries/declare_weeks.sql", self.table, key, leaves)
                .execute(connection)
                .await
                .map(drop);
        }
        if self.division.even(count.cast_unsigned()).as_ref() == Some(desired) {
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

/// What is written for a table in weeks, of which there are as many as time wants.
const IN_WEEKS: i32 = 2;

async fn read(connection: &mut PgConnection, table: Option<&str>) -> Result<Vec<Layout>, sqlx::Error> {
    let rows = sqlx::query_file!("queries/layouts.sql", table).fetch_all(&mut *connection).await?;
    let mut layouts = Vec::new();
    for row in rows {
        let key = row.partition_key;
        let Some(path_key) = row.path_key else {
            layouts.push(in_weeks(connection, &row.table_name, key, row.desired_leaves > 1).await?);
            continue;
        };
        let desired = match row.desired {
            Some(Json(leaves)) if row.desired_leaves > 1 => Shape::of(&key, &path_key, leaves),
            _ => Shape::even(&key, &path_key, u32::try_from(row.desired_leaves).unwrap_or(1)),
        };
        let division = Division::Hash { key, path_key };
        let found = row.actual.map(|Json(found)| found).unwrap_or_default();
        let (actual, damage) = actual(&row.table_name, &division, row.partitioned_by.as_deref(), &found);
        let (table, phase) = (row.table_name, row.phase);
        layouts.push(Layout { table, desired, actual, division, damage, phase, estimate: None });
    }
    Ok(layouts)
}

/// That of a table by the weeks of a column, whether somebody has declared it or not.
async fn in_weeks(
    connection: &mut PgConnection,
    table: &str,
    key: String,
    is_wanted: bool,
) -> Result<Layout, sqlx::Error> {
    let row = sqlx::query_file!("queries/weeks.sql", table, key).fetch_one(&mut *connection).await?;
    let division = Division::Weeks { key };
    let found = row.actual.map(|Json(found)| found).unwrap_or_default();
    let (actual, damage) = actual(table, &division, row.partitioned_by.as_deref(), &found);
    let desired = match row.target {
        _ if !is_wanted => Shape::Plain,
        // Until it is there, time does not change it.
        Some(Json(target @ Shape::Weeks { .. })) => target,
        _ => {
            let (now, key) = (Week::new(row.week), division.key());
            let there = if let Shape::Weeks { weeks, .. } = &actual { weeks.as_slice() } else { &[] };
            let is_new = there.is_empty() && row.can_tell_times;
            let rows_from = if is_new { oldest(connection, table, key, now.later(-Week::BACK)).await? } else { None };
            Shape::weeks(key, Week::wanted(there, rows_from, now), &actual)
        }
    };
    let (table, phase) = (table.to_owned(), row.phase);
    Ok(Layout { table, desired, actual, division, damage, phase, estimate: None })
}

/// The week of a table's oldest row of those that are to have leaves by the week at all.
async fn oldest(
    connection: &mut PgConnection,
    table: &str,
    key: &str,
    from: Week,
) -> Result<Option<Week>, sqlx::Error> {
    let (table, key, from) = (Relation::public(table), identifier(key), from.since());
    let query = format!(
        "SELECT LEAST(pg_catalog.floor((EXTRACT(epoch FROM pg_catalog.min({key})) / 86400 - 4) / 7), 400000)::integer
         FROM {table} WHERE {key} >= {from}"
    );
    let number: Option<i32> = sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(connection).await?;
    Ok(number.map(Week::new))
}
