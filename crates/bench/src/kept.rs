//! The triggers that keep something up to date, switched off and on: to see what they cost.

use sqlx::PgConnection;

use crate::session;

/// On a table and all of its leaves. They fire in replicas too, so a role for the session would not do.
pub(crate) async fn switch(connection: &mut PgConnection, table: &str, on: bool) -> Result<(), sqlx::Error> {
    switch_of("", connection, table, on).await
}

/// Those alone whose names go on so.
pub(crate) async fn switch_of(
    kept: &str,
    connection: &mut PgConnection,
    table: &str,
    on: bool,
) -> Result<(), sqlx::Error> {
    let word = if on { "ENABLE ALWAYS" } else { "DISABLE" };
    let text = format!(
        "DO $$
         DECLARE it record;
         BEGIN
             FOR it IN SELECT tgrelid::regclass AS relation, tgname FROM pg_trigger
                       WHERE tgname LIKE 'singularity\\_kept\\_{kept}%' AND tgrelid IN (SELECT relid FROM pg_partition_tree('{table}')) LOOP
                 EXECUTE format('ALTER TABLE ONLY %s {word} TRIGGER %I', it.relation, it.tgname);
             END LOOP;
         END $$"
    );
    session::execute(connection, &text).await
}
