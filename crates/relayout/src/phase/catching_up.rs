//! The log is drained, then the swap: one short transaction in which the new form takes the table's place.

use std::time::{Duration, Instant};

use database::retry::{self, Attempt, Attempts};
use database::statement::{LockMode, set_lock_timeout};
use database::transaction::{self, End};
use database::{DatabaseLock, Statement, Worker, relation, statement};
use sqlx::PgConnection;
use terminal::Finding;
use terminal::activity::Activity;

use crate::brake::Braked;
use crate::budget::Budget;
use crate::change_log;
use crate::drain::{Drain, Share};
use crate::error::Error;
use crate::job::{Job, Phase};
use crate::key_order;
use crate::layout::Layout;
use crate::pursuit::Pursuit;
use crate::stale;
use crate::table::definition::Definition;
use crate::table::dependents::{self, Dependent};
use crate::table::obstacle::{self, ServerFacts};
use crate::vacuum;

use super::exchange;

/// How often the lock is asked for before we give up.
const ATTEMPTS: Attempts = Attempts { most: 60, first: statement::FIRST_LOCK_TIMEOUT, longest: Duration::from_secs(1) };
/// How a swap ended that did not fail.
#[derive(Debug)]
pub(crate) enum Swap {
    /// Done; for so long the table was locked.
    Done(Duration),
    /// Somebody has altered the table since the job began.
    Altered,
    /// Somebody has made something from the table since the job began that does not let it go on.
    Refused(Vec<Finding>),
    /// The new form would not be what the table was; nothing of it has become visible.
    Unequal(Vec<Finding>),
}

/// Swaps, as often as it takes to get the lock; none if the log never gets short. Transactions that are older than the copy are
/// waited for so long as `readers` says. Besides, how much writers were slowed down.
pub(crate) async fn run(
    lock: &DatabaseLock,
    worker: &mut Worker,
    budget: Budget,
    job: &Job,
    readers: Duration,
    activity: &dyn Activity,
) -> Result<(Option<Swap>, Option<Braked>), Error> {
    let failed = Error::during(&format!("change the layout of table `{}`", job.table), lock.url().database());
    let drain = Drain::new(job);
    let pursuit = Pursuit::new(lock, job, &drain, budget, activity);
    let swap = async {
        pursuit.catch_up(worker).await?;
        // A transaction at REPEATABLE READ that is older than the copied rows would not see them in the new form. Whoever stays
        // longer than that finds the rows missing that were copied since.
        let waiting = || activity.phase("waiting for older transactions", None);
        stale::outlast_older(worker, readers, waiting).await.map_err(&failed)?;
        let role = ServerFacts::read(worker, &job.public()).await.map_err(&failed)?.role;
        retry::until_locked(
            worker,
            ATTEMPTS,
            async |worker| pursuit.catch_up(worker).await,
            async |worker, timeout| {
                activity.phase("swapping", None);
                let swap = async |connection: &mut PgConnection| {
                    try_once(connection, job, &drain, &pursuit, &role, timeout).await
                };
                transaction::run(worker, transaction::CHANGE, swap).await.map_err(&failed)
            },
        )
        .await
    };
    let swap = swap.await;
    let braked = pursuit.end(worker).await.map_err(&failed);
    Ok((swap?, braked?))
}

async fn try_once(
    connection: &mut PgConnection,
    job: &Job,
    drain: &Drain,
    pursuit: &Pursuit<'_>,
    role: &str,
    timeout: Duration,
) -> Result<End<Attempt<Swap>>, sqlx::Error> {
    vacuum::hold_off(connection, &job.public()).await?;
    set_lock_timeout(connection, timeout).await?;
    let lock = locked(job, &followers(connection, job).await?);
    statement::execute(connection, &[lock]).await?;
    let started = Instant::now();
    if pursuit.is_behind(connection).await? {
        return Ok(End::Rollback(Attempt::Again));
    }
    let layout = Layout::read(connection, &job.table).await?;
    if Definition::read(connection, &job.public()).await?.as_ref() != Some(&job.definition)
        || !layout.is_some_and(|layout| layout.damage.is_empty() && layout.actual == job.source)
    {
        return Ok(End::Rollback(Attempt::Done(Swap::Altered)));
    }
    // Read under the lock: from now on nobody makes another one.
    let made_from_it = followers(connection, job).await?;
    let obstacles = obstacle::of_dependents(&made_from_it, role);
    if !obstacles.is_empty() {
        return Ok(End::Rollback(Attempt::Done(Swap::Refused(obstacles))));
    }
    key_order::follow(connection).await?;
    while drain.round(connection, Share::WHOLE).await? > 0 {}
    statement::execute(connection, &[swap(job), made_anew(&made_from_it)].concat()).await?;
    let differences = differences(connection, job, &made_from_it).await?;
    if !differences.is_empty() {
        return Ok(End::Rollback(Attempt::Done(Swap::Unequal(differences))));
    }
    job.advance(connection, Phase::Swapped).await?;
    Ok(End::Commit(Attempt::Done(Swap::Done(started.elapsed()))))
}

/// What the new form, in its place, has that the table had not, and the other way round.
async fn differences(
    connection: &mut PgConnection,
    job: &Job,
    made_from_it: &[Dependent],
) -> Result<Vec<Finding>, sqlx::Error> {
    let new = Definition::read(connection, &job.public()).await?.unwrap_or_default();
    let mut differences = job.definition.differences(&new);
    let objects = |dependents: &[Dependent]| {
        let mut objects: Vec<String> = dependents.iter().map(|it| it.object.clone()).collect();
        objects.sort();
        objects
    };
    let (before, after) = (objects(made_from_it), objects(&followers(connection, job).await?));
    if before != after {
        differences.push(format!("made from it: {} became {}", before.join(", "), after.join(", ")));
    }
    let finding = |it: String| Finding::new("not-carried", format!("its new form would differ: {it}"));
    Ok(differences.into_iter().map(finding).collect())
}

/// The lock of the swap: on the table, and before it on the views of it, as their readers lock them.
fn locked(job: &Job, followers: &[Dependent]) -> Statement {
    let public = job.public();
    let views = followers.iter().filter_map(|follower| follower.view.as_ref());
    // What its foreign keys refer to comes later: to lock it by name takes a right that the owner of this table may lack.
    let names = relation::list(views.chain([&public]));
    Statement::new("nobody reads or writes for a moment", format!("LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE"))
        .locking(LockMode::AccessExclusive, &public)
}

/// What has to be made anew because it would follow the old form; nothing where the table itself stays.
pub(crate) async fn followers(connection: &mut PgConnection, job: &Job) -> Result<Vec<Dependent>, sqlx::Error> {
    if job.exchanged().is_some() { Ok(Vec::new()) } else { dependents::read(connection, &job.public()).await }
}

/// As statements.
pub(crate) fn made_anew(followers: &[Dependent]) -> Vec<Statement> {
    let statements = followers.iter().filter_map(|follower| follower.statement.clone());
    statements.map(|sql| Statement::new("what was made from the table is made anew", sql)).collect()
}

/// The heart of the swap. The lock is held, and the log is empty.
pub(crate) fn swap(job: &Job) -> Vec<Statement> {
    [
        change_log::drop_capture(&job.table, &job.old_trees()),
        match job.exchanged() {
            Some((old, new)) => exchange::leaves(job, &old, &new),
            None => exchange::tables(job),
        },
        change_log::triggers(&job.table, &job.definition, &job.new_trees()),
        stale::refuse(&job.table).to_vec(),
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::example::job;
    use crate::layout::{Leaf, Shape};

    #[test]
    fn a_split_touches_one_leaf_only() {
        let even = |count| Shape::even("repo_name", "path", count);
        let leaf = Leaf::new(2, 1);
        let job = job(even(2), even(2).with(&[leaf], &leaf.split(2)));
        let statements = swap(&job);
        let of = |word: &str| statements.iter().filter(|statement| statement.sql.contains(word)).count();
        assert_eq!((of("DETACH PARTITION"), of("ATTACH PARTITION \"leaf_4")), (3, 2));
        assert!(!statements.iter().any(|statement| statement.sql.contains("leaf_2_0")), "{statements:#?}");
    }

    #[test]
    fn the_swap_locks_the_table_as_strongly_as_anything_that_follows() {
        let even = |count| Shape::even("repo_name", "path", count);
        let job = job(Shape::Plain, even(2));
        let strongest = swap(&job).into_iter().filter_map(|statement| statement.lock).map(|lock| lock.mode).max();
        assert_eq!(locked(&job, &[]).lock.map(|lock| lock.mode), strongest);
    }
}
