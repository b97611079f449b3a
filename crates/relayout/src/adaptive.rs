//! Other leaves than there are: what the policy asks for, and what is declared on request.

use database::Worker;
use database::quote::identifier;
use sqlx::{AssertSqlSafe, PgConnection};

use crate::error::Error;
use crate::layout::planner::{self, Advice, Policy, Repository};
use crate::layout::{Contents, Layout, Leaf, Shape};
use crate::preflight;

/// A leaf, and what to do with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// The table.
    pub table: String,
    /// The leaf.
    pub leaf: Leaf,
    /// Its rows, counted.
    pub rows: u64,
    /// What to do.
    pub advice: Advice,
}

impl Proposal {
    /// The layout to declare; none if the advice is to leave it. `by_path` agrees to a split by path.
    #[must_use]
    pub fn accept(&self, layout: &Layout, by_path: bool) -> Option<Shape> {
        match &self.advice {
            Advice::Split(parts) => Some(layout.desired.with(&[self.leaf], parts)),
            Advice::ByPath { leaf, .. } if by_path => Some(layout.desired.with(&[self.leaf], &[*leaf])),
            _ => None,
        }
    }
}

/// Looks into the leaves that hold too much by the server's statistics; into the named one whatever it holds.
///
/// Rows are counted by repository, in these leaves only, which reads the primary key's index.
///
/// # Errors
/// When a query fails.
pub async fn propose(
    connection: &mut PgConnection,
    layout: &Layout,
    leaf: Option<Leaf>,
    database: &str,
) -> Result<Vec<Proposal>, Error> {
    let failed = Error::during(&format!("read the sizes of the leaves of `{}`", layout.table), database);
    let policy = policy(connection, &layout.table).await.map_err(&failed)?;
    let leaves = match leaf {
        Some(leaf) => vec![leaf],
        None => overfull(connection, &layout.table).await.map_err(&failed)?,
    };
    let mut proposals = Vec::new();
    for candidate in leaves.into_iter().filter(|leaf| layout.actual.leaves().contains(leaf)) {
        let repositories = repositories(connection, layout, candidate).await.map_err(&failed)?;
        let rows = repositories.iter().map(|repository| repository.rows).sum();
        let count = layout.actual.leaves().len();
        let advice = planner::advise(policy, count, candidate, &repositories, leaf.is_some());
        proposals.push(Proposal { table: layout.table.clone(), leaf: candidate, rows, advice });
    }
    Ok(proposals)
}

/// The same table with another layout declared, and what the way there takes. Writes nothing.
///
/// # Errors
/// [`Error::Refused`] if something stands against it.
pub async fn wanted(
    connection: &mut PgConnection,
    layout: &Layout,
    desired: &Shape,
    free_disk: Option<u64>,
    database: &str,
) -> Result<Layout, Error> {
    let failed = Error::during(&format!("plan the layout of table `{}`", layout.table), database);
    let wanted = layout.wanting(desired, connection).await.map_err(&failed)?;
    if wanted.is_reached() {
        return Ok(wanted);
    }
    let findings = preflight::obstacles(connection, &wanted, free_disk).await.map_err(&failed)?;
    if findings.is_empty() { Ok(wanted) } else { Err(Error::refused(database, &layout.table, findings)) }
}

/// Declares a layout; the next run brings it about.
///
/// # Errors
/// [`Error::Refused`] if something stands against it: nothing is declared then.
pub async fn declare(
    worker: &mut Worker,
    layout: &Layout,
    desired: &Shape,
    free_disk: Option<u64>,
    database: &str,
) -> Result<(), Error> {
    wanted(worker, layout, desired, free_disk, database).await?;
    let failed = Error::during(&format!("declare the layout of table `{}`", layout.table), database);
    layout.declare(worker, desired).await.map_err(failed)
}

/// The layout in which `leaf` is one table in place of those that it covers; none if there is nothing below it.
#[must_use]
pub fn merged(layout: &Layout, leaf: Leaf) -> Option<Shape> {
    let covered: Vec<Leaf> = layout.desired.leaves().iter().filter(|other| leaf.covers(**other)).copied().collect();
    if leaf.modulus < 2 || covered.is_empty() || covered == [leaf] {
        return None;
    }
    Some(layout.desired.with(&covered, &[leaf]))
}

/// What the table and each of its leaves hold, by the server's statistics.
///
/// # Errors
/// When a query fails.
pub async fn contents(connection: &mut PgConnection, layout: &Layout, database: &str) -> Result<Contents, Error> {
    let failed = Error::during(&format!("read the sizes of the leaves of `{}`", layout.table), database);
    Contents::read(connection, &layout.table).await.map_err(failed)
}

/// Rows from which on a leaf is split; none where no policy says it.
///
/// # Errors
/// When a query fails.
pub async fn most_rows(connection: &mut PgConnection, layout: &Layout, database: &str) -> Result<Option<u64>, Error> {
    let failed = Error::during(&format!("read the policy for the leaves of `{}`", layout.table), database);
    let policy = policy(connection, &layout.table).await.map_err(failed)?;
    Ok((policy.leaf_rows != Policy::NONE.leaf_rows).then(|| policy.most_rows()))
}

async fn policy(connection: &mut PgConnection, table: &str) -> Result<Policy, sqlx::Error> {
    let row = sqlx::query!("SELECT leaf_rows, most_leaves FROM db_service.layout_policy WHERE table_name = $1", table)
        .fetch_optional(connection)
        .await?;
    let row = row.map(|row| (row.leaf_rows.cast_unsigned(), row.most_leaves.cast_unsigned()));
    Ok(row.map_or(Policy::NONE, |(leaf_rows, most_leaves)| Policy { leaf_rows, most_leaves: most_leaves as usize }))
}

async fn overfull(connection: &mut PgConnection, table: &str) -> Result<Vec<Leaf>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT modulus AS "modulus!", remainder AS "remainder!" FROM db_service.partition_plan
           WHERE table_name = $1 AND to_split ORDER BY estimated_rows DESC"#,
        table
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| Leaf::new(row.modulus.cast_unsigned(), row.remainder.cast_unsigned())).collect())
}

/// What PostgreSQL adds when it combines the hashes of a partition key's columns, here of one (`hash_combine64` with 0 in
/// `src/include/common/hashfn.h`), and the seed that it hashes with (`HASH_PARTITION_SEED` in `src/include/catalog/partition.h`).
const COMBINE: u64 = 0x49a0_f4dd_15e5_a8e3;
/// The seed of `hashtextextended` that [`partition_hash`] takes the outcome of.
pub const SEED: i64 = 0x7A5B_2236_7996_DCFD;

/// The hash by which the server chooses a leaf, from that of the partition key alone.
#[must_use]
pub fn partition_hash(of_key: i64) -> u64 {
    of_key.cast_unsigned().wrapping_add(COMBINE)
}

async fn repositories(
    connection: &mut PgConnection,
    layout: &Layout,
    leaf: Leaf,
) -> Result<Vec<Repository>, sqlx::Error> {
    let (key, relation) = (identifier(layout.division.key()), leaf.of(&layout.table));
    let query = format!(
        "SELECT {key}::text, pg_catalog.hashtextextended({key}, {SEED}), pg_catalog.count(*) FROM {relation} GROUP BY {key}"
    );
    let rows: Vec<(String, i64, i64)> = sqlx::query_as(AssertSqlSafe(query)).fetch_all(connection).await?;
    let repository = |(name, hash, rows): (String, i64, i64)| Repository {
        name,
        hash: partition_hash(hash),
        rows: rows.cast_unsigned(),
    };
    Ok(rows.into_iter().map(repository).collect())
}
