//! An autovacuum in the way of a strong lock.

use database::Relation;
use sqlx::{AssertSqlSafe, PgConnection};

/// Takes a lock that autovacuum conflicts with and writers do not, so that waiting for it stops nobody; the server ends an
/// autovacuum that somebody waits for after that one's `deadlock_timeout`, a second by default, less for us where we may
/// say so. Asking for a stronger lock at once would make all writers wait behind us for as long as the vacuum takes.
pub(crate) async fn hold_off(transaction: &mut PgConnection, relation: &Relation) -> Result<(), sqlx::Error> {
    let lock = format!(
        "SELECT pg_catalog.set_config('deadlock_timeout', '100ms', true)
         WHERE pg_catalog.has_parameter_privilege('deadlock_timeout', 'SET');
         SET LOCAL lock_timeout = '10s'; LOCK TABLE {relation} IN SHARE UPDATE EXCLUSIVE MODE"
    );
    sqlx::raw_sql(AssertSqlSafe(lock)).execute(transaction).await.map(drop)
}
