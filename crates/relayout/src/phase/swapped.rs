//! Both forms are there, the new one in use: they are compared, and older transactions waited for.

use std::time::Duration;

use database::{DatabaseLock, Statement, Worker, statement};

use crate::budget::Budget;
use crate::change_log;
use crate::comparison;
use crate::error::Error;
use crate::job::Job;
use crate::layout::Estimate;
use crate::progress::{Progress, Rate};
use crate::stale;

use super::foreign_keys;

/// Ends the reverse log, and lets everybody write.
pub(crate) fn settle(job: &Job) -> Vec<Statement> {
    let mut statements = change_log::drop_capture(&job.table, &job.new_trees());
    statements.push(stale::admit(&job.table));
    statements.extend(foreign_keys::complete(job));
    statements
}

/// Compares both forms; false if a transaction from before the swap stays longer than `patience`.
pub(crate) async fn is_settled(
    lock: &DatabaseLock,
    worker: &mut Worker,
    budget: Budget,
    job: &Job,
    patience: Duration,
    progress: &Progress<'_>,
) -> Result<bool, Error> {
    let (table, database) = (&job.table, lock.url().database());
    let estimate = Estimate::of(worker, &job.compared().0).await;
    let rate =
        Rate::new(0, estimate.map_err(Error::during(&format!("compare the rows of table `{table}`"), database))?);
    let compared = |rows: i64| {
        rate.count(rows);
        progress.say(|| format!("Comparing table `{table}`: {rate}"));
    };
    let rows = comparison::differences(lock, worker, budget.jobs, job, compared).await?;
    if rows > 0 {
        return Err(Error::Differs { table: table.clone(), database: database.to_owned(), rows });
    }
    let waits = async {
        for validate in foreign_keys::validate(job) {
            progress.say(|| format!("Checking the foreign keys of table `{table}`"));
            statement::execute(worker, &[validate]).await?;
        }
        let waiting =
            || progress.say(|| format!("Waiting for transactions that are older than the new layout of `{table}`"));
        stale::outlast_older(worker, patience, waiting).await
    };
    waits.await.map_err(Error::during(&format!("change the layout of table `{table}`"), database))
}
