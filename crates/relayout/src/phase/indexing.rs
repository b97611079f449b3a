//! The keys and indexes of the new form: built after the copy, leaves side by side on several connections.

use std::time::Duration;

use database::quote::identifier;
use database::{DatabaseLock, Relation, Statement, Worker};
use ledger::catalog;
use sqlx::{AssertSqlSafe, PgConnection};
use terminal::activity::{Activity, Count, Unit};

use crate::budget::Budget;
use crate::drain::Drain;
use crate::error::Error;
use crate::job::Job;
use crate::layout::Part;
use crate::table::attachments;
use crate::table::definition::Definition;
use crate::table::parts::{Constraint, Index};
use crate::workers;

/// How long the log is drained before the other indexes are built: each of them makes a row dearer.
const PATIENCE: Duration = Duration::from_mins(2);

/// Builds what is missing of the indexes of all leaves, or of the plain table: the primary key first, by which the log is
/// drained before there are others.
pub(crate) async fn build(
    lock: &DatabaseLock,
    own: &mut Worker,
    job: &Job,
    budget: Budget,
    activity: &dyn Activity,
) -> Result<(), Error> {
    let failed = Error::during(&format!("build the indexes of `{}`", job.table), lock.url().database());
    let missing = missing(own, job).await.map_err(&failed)?;
    let (keys, others): (Vec<Build>, Vec<Build>) = missing.into_iter().partition(|build| build.is_key);
    let are_others_missing = others.len() == all(job).iter().filter(|(_, build)| !build.is_key).count();
    let work_off = async |own: &mut Worker, builds: Vec<Build>, phase: &str| {
        activity.phase(phase, Some(Count::of(Unit::Indexes, builds.len().try_into().unwrap_or(u64::MAX))));
        let shares = Shares::new(budget, builds.iter().filter(|build| build.is_vector).count(), builds.len());
        let build = async |worker: &mut Worker, Build { statement, is_vector, .. }: Build| {
            sqlx::raw_sql(AssertSqlSafe(shares.settings(is_vector))).execute(&mut **worker).await?;
            // On a plain table a key waits until the other builder's index is done, and nobody else knows the table:
            // patience costs nobody anything. Both statements are one transaction.
            let statement = format!("SET LOCAL lock_timeout = 0; {}", statement.sql);
            sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut **worker).await?;
            activity.advanced(1);
            Ok(())
        };
        workers::work_off(lock, own, budget.jobs, builds, &failed, build).await
    };
    work_off(own, keys, "building keys").await?;
    if !others.is_empty() {
        let drain = Drain::new(job);
        activity.phase("catching up", None);
        if are_others_missing {
            drain.side_by_side(lock, own, budget.jobs, PATIENCE).await?;
        }
        drain.to_one_moment(lock, own).await?;
    }
    work_off(own, others, "building indexes").await?;
    activity.phase("analysing", None);
    let finish =
        format!("RESET maintenance_work_mem; RESET max_parallel_maintenance_workers; ANALYZE {}", job.shadow());
    sqlx::raw_sql(AssertSqlSafe(finish)).execute(&mut **own).await.map(drop).map_err(failed)
}

/// All of them, for showing them.
pub(crate) fn builds(job: &Job) -> Vec<Statement> {
    all(job).into_iter().map(|(_, build)| build.statement).collect()
}

/// Megabytes for one build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shares {
    vector: u32,
    other: u32,
    is_alone: bool,
}

impl Shares {
    /// The budget, divided among the builds that run at a time. Where fewer vector indexes are to be built than there are
    /// connections, as for a plain table, these get nearly all of it: only they are slow without.
    fn new(budget: Budget, vectors: usize, total: usize) -> Self {
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let jobs = number(budget.jobs.clamp(1, total.max(1)));
        let even = budget.megabytes / jobs;
        let (vector, other) = match number(vectors).min(jobs) {
            few if (1..jobs).contains(&few) => ((budget.megabytes - (jobs - few) * (even / 4)) / few, even / 4),
            _ => (even, even),
        };
        let within = |share: u32| share.clamp(16, 64 * 1024);
        Self { vector: within(vector), other: within(other), is_alone: jobs == 1 }
    }

    fn settings(self, is_vector: bool) -> String {
        // One process a build: a parallel one would share its memory by a segment as large as the share, for which a
        // container's `/dev/shm` has no room.
        let workers = if self.is_alone { "" } else { "SET max_parallel_maintenance_workers = 0" };
        format!("SET maintenance_work_mem = '{}MB'; {workers}", if is_vector { self.vector } else { self.other })
    }
}

struct Build {
    statement: Statement,
    is_vector: bool,
    /// The primary key's.
    is_key: bool,
}

/// Those that are not there yet: a build is a transaction of its own, so what is there is whole.
async fn missing(own: &mut PgConnection, job: &Job) -> Result<Vec<Build>, sqlx::Error> {
    let wanted = all(job);
    let names: Vec<String> = wanted.iter().map(|(name, _)| name.to_string()).collect();
    let missing = catalog::missing(own, &names).await?;
    Ok(wanted.into_iter().filter(|(name, _)| missing.contains(&name.to_string())).map(|(_, build)| build).collect())
}

/// Every index and key of every table that takes rows, with its name: the primary key, then the slowest to build, so that
/// the last builder does not start one when all others are done.
fn all(job: &Job) -> Vec<(Relation, Build)> {
    let targets = &job.targets();
    let keys = |is_key: bool| {
        let keys = job.definition.keys().filter(move |key| (key.kind == "p") == is_key);
        keys.flat_map(move |key| {
            targets.iter().map(move |relation| {
                let statement = add_constraint(relation, key, &job.definition).patient();
                (relation.sibling(&key.name), Build { statement, is_vector: false, is_key })
            })
        })
    };
    let indexes = job.definition.secondary_indexes().into_iter().flat_map(|index| {
        targets.iter().map(move |relation| {
            let statement = create_index(relation, false, index).patient();
            let (is_vector, is_key) = (index.is_vector(), false);
            (relation.sibling(&index.name), Build { statement, is_vector, is_key })
        })
    });
    keys(true).chain(indexes).chain(keys(false)).collect()
}

/// One index of one relation; a root takes those below it as its own afterwards, see [`attach`].
fn create_index(relation: &Relation, is_root: bool, index: &Index) -> Statement {
    let (why, only) =
        if is_root { ("the index of what is partitioned", "ONLY ") } else { ("an index of the new form", "") };
    let unique = if index.unique { "UNIQUE " } else { "" };
    let name = identifier(&index.name);
    Statement::new(why, format!("CREATE {unique}INDEX {name} ON {only}{relation} {}", index.definition))
}

/// A key of one relation; a root takes the leaves' as its own, names and all.
fn add_constraint(relation: &Relation, key: &Constraint, definition: &Definition) -> Statement {
    let name = identifier(&key.name);
    let index = definition.indexes.iter().find(|index| index.name == key.name);
    let options = index.map(|index| index.options.join(", ")).filter(|options| !options.is_empty());
    let options = options.map(|options| format!(" WITH ({options})")).unwrap_or_default();
    // Whether it may be deferred is said last.
    let (key, deferrable) = key.definition.split_at(key.definition.find(" DEFERRABLE").unwrap_or(key.definition.len()));
    let sql = format!("ALTER TABLE {relation} ADD CONSTRAINT {name} {key}{options}{deferrable}");
    Statement::new("a key of the new form", sql)
}

/// The keys and indexes of everything that is partitioned, made of those of what is below it; and what hangs on the new
/// form besides.
pub(crate) fn attach(job: &Job) -> Vec<Statement> {
    let (table, definition, leaves) = (&job.table, &job.definition, job.new_leaves());
    let mut statements = Vec::new();
    for leaf in leaves.iter().filter(|leaf| leaf.paths() > 1) {
        statements.extend(from_below(&leaf.of(table), &leaf.storage_of(table), definition));
    }
    statements.extend(job.targets().iter().flat_map(|relation| expression_statistics(relation, definition)));
    // Where only leaves are exchanged, the shadow's root holds them together for the copy and goes.
    if job.exchanged().is_some() {
        return statements;
    }
    let shadow = job.shadow();
    if !leaves.is_empty() {
        let below: Vec<Relation> = leaves.iter().map(|leaf: &Part| leaf.of(table)).collect();
        statements.extend(from_below(&shadow, &below, definition));
        statements.extend(expression_statistics(&shadow, definition));
    }
    statements.extend(attachments::statements(&shadow, definition));
    statements
}

/// Statistics targets of the expressions in a relation's indexes.
fn expression_statistics(relation: &Relation, definition: &Definition) -> Vec<Statement> {
    let of = |index: &Index| {
        let name = relation.sibling(&index.name);
        let set = move |(column, target): &(i16, i32)| {
            let sql = format!("ALTER INDEX {name} ALTER COLUMN {column} SET STATISTICS {target}");
            Statement::new("an index of the new form", sql)
        };
        index.statistics.iter().map(set).collect::<Vec<_>>()
    };
    definition.indexes.iter().flat_map(of).collect()
}

fn from_below(root: &Relation, below: &[Relation], definition: &Definition) -> Vec<Statement> {
    let mut statements: Vec<Statement> = definition.keys().map(|key| add_constraint(root, key, definition)).collect();
    for index in definition.secondary_indexes() {
        statements.push(create_index(root, true, index));
        statements.extend(below.iter().map(|below| {
            let (above, below) = (root.sibling(&index.name), below.sibling(&index.name));
            let sql = format!("ALTER INDEX {above} ATTACH PARTITION {below}");
            Statement::new("made of the indexes below it", sql)
        }));
    }
    statements
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::example::job;
    use crate::layout::Shape;

    #[test]
    fn a_lone_vector_index_gets_nearly_all_memory() {
        let budget = Budget { jobs: 2, megabytes: 512, ..Budget::MODEST };
        let shares = |vectors, total| {
            let Shares { vector, other, .. } = Shares::new(budget, vectors, total);
            (vector, other)
        };
        assert_eq!(shares(16, 64), (256, 256));
        assert_eq!(shares(1, 5), (448, 64));
        assert_eq!(shares(1, 1), (512, 512));
        assert_eq!(shares(0, 5), (256, 256));
    }

    #[test]
    fn what_is_partitioned_takes_the_keys_of_what_is_below_it() {
        let even = |count| Shape::even("repo_name", "path", count);
        let texts = |job: &Job| attach(job).into_iter().map(|statement| statement.sql).collect::<Vec<_>>();
        assert_eq!(
            texts(&job(Shape::Plain, even(2))),
            [r#"ALTER TABLE "db_service_new"."t" ADD CONSTRAINT "t_pkey" PRIMARY KEY (repo_name, path)"#]
        );
        assert_eq!(attach(&job(even(2), Shape::Plain)), []);
    }
}
