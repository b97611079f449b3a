//! What was done to tables in leaves by hand, and what was left lying about: it is named, and not touched.

use std::time::Duration;

use ::database::connection;
use sqlx::AssertSqlSafe;

use crate::Verdict::{self, Passed};
use crate::command::migrations;
use crate::database::{Database, Stage};
use crate::server::TestServer;
use crate::twins::{assert_no_difference, partitioned};

crate::tests![what_was_done_to_leaves_by_hand_is_named, leftovers_are_found];

/// `DETACH … CONCURRENTLY` of a leaf of `code_files`, ended between its two transactions: a reader holds up the second.
pub(crate) fn half_detach(database: &Database<'_>, leaf: &str) {
    database.with(async |connection| {
        let mut reader = connection::connect(&database.url).await.unwrap();
        sqlx::raw_sql("BEGIN; SELECT count(*) FROM code_files").execute(&mut reader).await.unwrap();
        let detach = format!("ALTER TABLE code_files DETACH PARTITION {leaf}.code_files CONCURRENTLY");
        let cancel_if_pending = format!(
            "SELECT pg_cancel_backend(pid) FROM pg_stat_activity, pg_inherits
             WHERE query = '{detach}' AND state = 'active' AND inhrelid = '{leaf}.code_files'::regclass AND inhdetachpending"
        );
        let cancel = async {
            let mut other = connection::connect(&database.url).await.unwrap();
            let cancel = || sqlx::query(AssertSqlSafe(cancel_if_pending.clone()));
            while cancel().fetch_optional(&mut other).await.unwrap().is_none() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            connection::close(other).await;
        };
        let (detached, ()) = tokio::join!(sqlx::raw_sql(AssertSqlSafe(detach.clone())).execute(connection), cancel);
        assert!(detached.is_err(), "this was not ended half-way: {detach}");
        connection::close(reader).await;
    });
}

fn what_was_done_to_leaves_by_hand_is_named(server: &TestServer) -> Verdict {
    let database = partitioned(server);
    let url = database.url_text();
    database.execute("ALTER TABLE code_files DETACH PARTITION leaf_16_3.code_files");
    let attach =
        "ALTER TABLE public.code_files ATTACH PARTITION leaf_16_3.code_files FOR VALUES WITH (MODULUS 16, REMAINDER 3)";
    for command in
        [&[][..], &["verify"], &["revert", "--yes"], &["split", "--table", "code_files", "--leaf", "16/4", "--yes"]]
    {
        migrations(&url, command).exits(4).says("`leaf_16_3.code_files` is gone or detached").says(attach);
    }
    database.execute(attach);
    half_detach(&database, "leaf_16_3");
    migrations(&url, &["verify"]).exits(4).says("half detached").says("DETACH PARTITION leaf_16_3.code_files FINALIZE");
    database.execute("ALTER TABLE code_files DETACH PARTITION leaf_16_3.code_files FINALIZE");
    database.execute("ALTER TABLE leaf_16_3.code_files DROP CONSTRAINT IF EXISTS code_files_repo_name_check");
    database.execute(attach);
    migrations(&url, &["verify"]).succeeds();
    database.execute("CREATE VIEW part AS SELECT repo_name FROM leaf_16_3.code_files");
    migrations(&url, &["merge", "--table", "code_files", "--leaf", "8/3", "--yes"])
        .exits(4)
        .says("view part depends on its leaf");
    assert_no_difference(&database, "after all was refused");
    Passed
}

fn leftovers_are_found(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    let url = database.url_text();
    migrations(&url, &["verify"]).succeeds().says("Verified leftovers: none of finished work");
    database.execute(
        "CREATE SCHEMA db_service_old; CREATE TABLE db_service_old.code_files (); CREATE TABLE db_service.relayout_log_code_files ();
         CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
         CREATE TRIGGER singularity_relayout_capture AFTER INSERT ON code_files FOR EACH ROW EXECUTE FUNCTION nothing()",
    );
    migrations(&url, &["verify"])
        .exits(4)
        .says("table `db_service_old.code_files` belongs to no job")
        .says("table `db_service.relayout_log_code_files`")
        .says("trigger `singularity_relayout_capture` of `public.code_files`");
    Passed
}
