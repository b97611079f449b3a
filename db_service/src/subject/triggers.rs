//! Triggers of the layer's own: what keeps versions up to date, and whatever else a migration declares in
//! `db_service.kept_trigger`. A table has them while it is in leaves.

use std::time::Instant;

use database::Worker;
use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;
use ledger::migrate::LedgerState;
use ledger::migration::LAYER;
use relayout::kept::Kept;
use sqlx::PgConnection;
use terminal::step::{Status, Step};

use super::contract::{Inspected, Planned, Subject, Terms};
use super::layouts;
use crate::error::Error;

/// The subject.
#[derive(Debug)]
pub struct Triggers;

/// Where triggers are declared.
const TABLE: &str = "db_service.kept_trigger";

impl Subject for Triggers {
    fn inspect<'a>(
        &'a self,
        connection: &'a mut PgConnection,
        ledger: &'a LedgerState,
        database: &'a str,
    ) -> LocalBoxFuture<'a, Result<Box<dyn Inspected>, Error>> {
        async move { Ok(Box::new(TriggersPlan(read(connection, ledger, database).await?)) as Box<dyn Inspected>) }
            .boxed_local()
    }
}

/// Those of every table; none where the migration that declares them was not applied yet.
///
/// # Errors
/// When a query fails.
pub async fn read(connection: &mut PgConnection, ledger: &LedgerState, database: &str) -> Result<Vec<Kept>, Error> {
    if !ledger.provides(TABLE) || !layouts::is_declared(ledger) {
        return Ok(Vec::new());
    }
    let failed = database::Error::sql("read the triggers of the performance layer", database);
    Ok(Kept::read_all(connection).await.map_err(failed)?)
}

#[derive(Clone, Debug)]
struct TriggersPlan(Vec<Kept>);

impl TriggersPlan {
    /// Those that are to be changed and can be.
    fn wanted(&self) -> impl Iterator<Item = &Kept> {
        self.0.iter().filter(|kept| !kept.is_reached() && kept.closed().is_none())
    }

    /// Those that wait until their table is in leaves.
    fn awaited(&self) -> impl Iterator<Item = &Kept> {
        let awaits = |kept: &&Kept| kept.is_declared() && !kept.is_in_leaves && kept.is_to_be_in_leaves;
        self.0.iter().filter(|kept| kept.is_reached()).filter(awaits)
    }
}

impl Planned for TriggersPlan {
    fn is_empty(&self) -> bool {
        self.wanted().next().is_none()
    }

    fn unchanged(&self, database: &str) -> Vec<Step> {
        let reached = self.0.iter().filter(|kept| kept.is_declared() && kept.is_reached());
        let reached = reached.filter(|kept| kept.is_in_leaves || !kept.is_to_be_in_leaves);
        let reached = reached.map(|kept| step(database, kept, Status::Unchanged));
        reached.chain(self.0.iter().filter_map(|kept| left_out(database, kept))).collect()
    }

    fn pending(&self, database: &str) -> Vec<Step> {
        self.wanted().chain(self.awaited()).map(|kept| step(database, kept, Status::Pending)).collect()
    }

    fn apply<'a>(
        &'a self,
        terms: &'a Terms<'a>,
        worker: &'a mut Worker,
        report: &'a mut dyn FnMut(Step),
    ) -> LocalBoxFuture<'a, Result<(), Error>> {
        async move {
            let database = terms.database();
            self.tell_unchanged(terms, report);
            for kept in self.wanted().filter(|kept| terms.includes(&kept.table)) {
                let started = Instant::now();
                let doing = format!("put the layer's triggers on table `{}`", kept.table);
                kept.bring_about(worker).await.map_err(database::Error::sql(&doing, database))?;
                report(step(database, kept, Status::Set).took(started.elapsed()));
            }
            Ok(())
        }
        .boxed_local()
    }
}

fn left_out(database: &str, kept: &Kept) -> Option<Step> {
    let (why, remedy) = kept.closed().filter(|_| !kept.is_reached())?;
    Some(Step::new(database, LAYER, "triggers", &kept.table, Status::LeftOut).detail(why).remedy(remedy))
}

fn step(database: &str, kept: &Kept, status: Status) -> Step {
    Step::new(database, LAYER, "triggers", &kept.table, status).detail(kept.summary())
}
