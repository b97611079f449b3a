//! Transactions whose snapshot is older than a swap: what they may not do any more, and waiting until they are gone.

use std::time::{Duration, Instant};

use database::statement::LockMode::{AccessExclusive, ShareRowExclusive};
use database::{Relation, Statement};
use sqlx::PgConnection;
use tokio::time::sleep;

use crate::change_log::function;

const STALE: &str = "singularity_relayout_stale";

/// Refuses writes by transactions whose snapshot is older than the swap that this is part of: they would see the new form
/// without the rows that were copied last. With SQLSTATE 40001, which whoever uses such isolation retries anyway.
pub(crate) fn refuse(table: &str) -> [Statement; 2] {
    let stale = function("stale", table);
    // It becomes part of a format string.
    let stale_in_format = stale.replace('%', "%%");
    let public = Relation::public(table);
    let function = format!(
            "DO $do$ BEGIN EXECUTE pg_catalog.format($format$
             CREATE OR REPLACE FUNCTION {stale_in_format} RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $function$
             BEGIN
                 IF NOT pg_catalog.pg_visible_in_snapshot(%L::pg_catalog.xid8, pg_catalog.pg_current_snapshot()) THEN
                     RAISE serialization_failure
                         USING MESSAGE = 'could not serialize access: the layout of the table has changed since this transaction began',
                               HINT = 'Retry the transaction.';
                 END IF;
                 RETURN NULL;
             END $function$ $format$, pg_catalog.pg_current_xact_id()); END $do$"
        );
    let trigger = format!(
        "CREATE TRIGGER {STALE} BEFORE INSERT OR UPDATE OR DELETE ON {public} FOR EACH STATEMENT EXECUTE FUNCTION {stale}"
    );
    let why = "transactions from before the swap may not write any more";
    [Statement::new(why, function), Statement::new(why, trigger).locking(ShareRowExclusive, &public)]
}

/// Lets everybody write again.
pub(crate) fn admit(table: &str) -> Statement {
    let public = Relation::public(table);
    let sql = format!("DROP TRIGGER IF EXISTS {STALE} ON {public}");
    Statement::new("no transaction from before the swap is left", sql).locking(AccessExclusive, &public)
}

/// Drops the trigger's function.
pub(crate) fn clean(table: &str) -> Statement {
    Statement::new("nothing refuses them any more", format!("DROP FUNCTION IF EXISTS {}", function("stale", table)))
}

/// Waits until no transaction is open any more that is older than now; false if one stays longer than `patience`.
pub(crate) async fn outlast_older(
    connection: &mut PgConnection,
    patience: Duration,
    waiting: impl FnOnce(),
) -> Result<bool, sqlx::Error> {
    let started = Instant::now();
    let now = Moment::now(connection).await?;
    let mut waiting = Some(waiting);
    while now.has_older(connection).await? {
        if started.elapsed() >= patience {
            return Ok(false);
        }
        if let Some(waiting) = waiting.take() {
            waiting();
        }
        sleep(Duration::from_millis(50)).await;
    }
    Ok(true)
}

/// A moment in the order of transactions: what began before it has an older snapshot.
struct Moment(String);

impl Moment {
    /// Now.
    async fn now(connection: &mut PgConnection) -> Result<Self, sqlx::Error> {
        let now = sqlx::query_scalar!(
            r#"SELECT pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::text AS "xmax!""#
        );
        now.fetch_one(connection).await.map(Self)
    }

    /// Whether a transaction is open that began before it.
    async fn has_older(&self, connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
        sqlx::query_file_scalar!("queries/older_snapshots.sql", self.0).fetch_one(connection).await
    }
}
