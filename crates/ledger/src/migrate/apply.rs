//! Applying migrations: one and its ledger row a transaction, and the catalog asked afterwards.

use std::time::{Duration, Instant};

use database::Worker;
use terminal::Finding;

use super::plan::MigrationPlan;
use crate::catalog::{invalid_indexes, missing};
use crate::error::Error;
use crate::gate::Violation;
use crate::migration::{Header, Migrations};

/// Applies what is pending, checking that each brought about what it says; `applied` is told of each, and how long it took.
///
/// # Errors
/// The failed migration; or [`Error::Broken`] if one did not do its work.
pub async fn apply(
    plan: &MigrationPlan,
    migrations: &Migrations,
    worker: &mut Worker,
    database: &str,
    mut applied: impl FnMut(&Header, Duration),
) -> Result<(), Error> {
    for pending in &plan.pending {
        let started = Instant::now();
        migrations.migrator.run_to(pending.version, &mut **worker).await.map_err(|source| Error::Migration {
            name: pending.name.clone(),
            database: database.to_owned(),
            source: source.into(),
        })?;
        let took = started.elapsed();
        check_outcome(pending, worker, database).await?;
        applied(pending, took);
    }
    Ok(())
}

async fn check_outcome(pending: &Header, worker: &mut Worker, database: &str) -> Result<(), Error> {
    let failed = || database::Error::sql(&format!("check the outcome of migration `{}`", pending.name), database);
    let missing = missing(worker, &pending.provides).await.map_err(failed())?;
    let missing = missing.into_iter().map(|object| Violation::ObjectMissing { name: pending.name.clone(), object });
    let invalid = invalid_indexes(worker).await.map_err(failed())?.into_iter().map(Violation::InvalidIndex);
    let findings: Vec<Finding> = missing.chain(invalid).map(Finding::from).collect();
    if findings.is_empty() { Ok(()) } else { Err(Error::Broken { database: database.to_owned(), findings }) }
}
