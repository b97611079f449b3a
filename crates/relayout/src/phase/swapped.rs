//! Both forms are there, the new one in use: they are compared, and older transactions waited for.

use std::time::Duration;

use database::{DatabaseLock, Statement, Worker, statement};
use terminal::activity::{Activity, Count, Unit};

use crate::budget::Budget;
use crate::change_log;
use crate::comparison;
use crate::error::Error;
use crate::job::Job;
use crate::layout::Estimate;
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
    activity: &dyn Activity,
) -> Result<bool, Error> {
    let (table, database) = (&job.table, lock.url().database());
    let estimate = Estimate::of(worker, &job.compared().0).await;
    let estimate = estimate.map_err(Error::during(&format!("compare the rows of table `{table}`"), database))?;
    activity.phase("comparing", Some(Count::about(Unit::Rows, 0, estimate.rows)));
    let compared = |rows: i64| activity.advanced(rows.unsigned_abs());
    let rows = comparison::differences(lock, worker, budget.jobs, job, compared).await?;
    if rows > 0 {
        return Err(Error::Differs { table: table.clone(), database: database.to_owned(), rows });
    }
    let waits = async {
        for validate in foreign_keys::validate(job) {
            activity.phase("checking foreign keys", None);
            statement::execute(worker, &[validate]).await?;
        }
        let waiting = || activity.phase("waiting for older transactions", None);
        stale::outlast_older(worker, patience, waiting).await
    };
    waits.await.map_err(Error::during(&format!("change the layout of table `{table}`"), database))
}
