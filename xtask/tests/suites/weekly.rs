//! `rag_performance_stats` with a twin, and writers that write to both.

use std::time::Duration;

use ::database::DatabaseUrl;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::command::migrations;
use crate::database::{Database, Stage};
use crate::random::Random;
use crate::role::{self, Role};
use crate::server::TestServer;
use crate::writers::Writers;

/// So many hours back from now, a row each, one of long ago and one of far ahead; and their twins.
pub(crate) fn with_rows<'a>(server: &'a TestServer, owner: &Role<'_>, hours: u32) -> Database<'a> {
    let database = Database::at(server, Stage::Ecto);
    database.execute(&format!(
        "INSERT INTO rag_performance_stats (inserted_at, query_type, execution_time_ms)
         SELECT now() - g * interval '1 hour', 'q' || g % 3, g FROM generate_series(1, {hours}) g;
         INSERT INTO rag_performance_stats (inserted_at, query_type, execution_time_ms) VALUES
             ('1999-12-31', 'long ago', 1), ('2099-12-31', 'far ahead', 1), ('infinity', 'for ever', 1), ('-infinity', 'never', 1);
         CREATE SCHEMA twin;
         CREATE TABLE twin.stats AS TABLE rag_performance_stats;"
    ));
    role::give_all(&database, &owner.name);
    let login = role::login(&owner.name);
    let database = database.run_by(login);
    migrations(&database.runner_text(), &[]).succeeds();
    database
}

pub(crate) fn assert_same(database: &Database<'_>, when: &str) {
    let differing = "SELECT concat_ws(' ', 'only in', * ) FROM (
        SELECT 'the table', d FROM (TABLE rag_performance_stats EXCEPT ALL TABLE twin.stats) d
        UNION ALL SELECT 'its twin', d FROM (TABLE twin.stats EXCEPT ALL TABLE rag_performance_stats) d) d LIMIT 5";
    let differing = differing.replace("concat_ws(' ', 'only in', * )", "d::text");
    assert_eq!(database.column(&differing), Vec::<String>::new(), "{when}");
}

/// The Mondays of the weeks that there are leaves for, as weeks from the one that is now.
pub(crate) fn weeks(database: &Database<'_>) -> Vec<i32> {
    weeks_of(database, "rag_performance_stats")
}

/// The same of another table.
pub(crate) fn weeks_of(database: &Database<'_>, table: &str) -> Vec<i32> {
    let weeks = "SELECT floor(extract(epoch FROM since - date_trunc('week', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC') / 604800)::integer::text
                 FROM db_service.week_leaves WHERE since IS NOT NULL AND table_name = ";
    database.column(&format!("{weeks}'{table}' ORDER BY since")).iter().map(|week| week.parse().unwrap()).collect()
}

/// Where a row is that the condition names.
pub(crate) fn leaf_of(database: &Database<'_>, condition: &str) -> String {
    database.text(&format!("SELECT DISTINCT tableoid::regclass::text FROM rag_performance_stats WHERE {condition}"))
}

/// Who writes the same to the table and to its twin.
pub(crate) fn writers(url: &DatabaseUrl) -> Writers {
    Writers::writing(url, 3, Duration::from_millis(20), write_once)
}

async fn write_once(
    connection: &mut PgConnection,
    begin: &'static str,
    random: &mut Random,
) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin_with(begin).await?;
    let (id, kind, hours) = (random.next() % 2000, random.next() % 4, random.next() % 2000);
    // From some weeks ago to some weeks ahead.
    let time =
        format!("date_trunc('hour', transaction_timestamp()) + {hours} * interval '1 hour' - interval '40 days'");
    for relation in ["public.rag_performance_stats", "twin.stats"] {
        let statement = match kind {
            0 | 1 => format!(
                "INSERT INTO {relation} (id, inserted_at, query_type, execution_time_ms, rows_returned, cache_hit)
                 VALUES ({}, {time}, 'written', {hours}, 0, false)",
                1_000_000 + random_id(id, hours)
            ),
            // It may move from one leaf to another.
            2 => format!("UPDATE {relation} SET inserted_at = {time}, rows_returned = {hours} WHERE id = {id}"),
            _ => format!("DELETE FROM {relation} WHERE id = {id}"),
        };
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *transaction).await?;
    }
    transaction.commit().await
}

fn random_id(id: u64, hours: u64) -> u64 {
    id * 2000 + hours
}

/// As if no leaves had been made since so many weeks before now.
pub(crate) fn forget_weeks(database: &Database<'_>, from: i32) {
    let leaves = database.column(&format!(
        "SELECT DISTINCT leaf_schema FROM db_service.week_leaves
         WHERE since >= date_trunc('week', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' + {from} * interval '1 week'"
    ));
    for leaf in leaves {
        database.execute(&format!("DROP SCHEMA {leaf} CASCADE"));
    }
}
