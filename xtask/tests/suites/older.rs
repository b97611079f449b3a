//! Transactions that are older than a swap: what they read and write; and rows that changed hands while they were copied.

use std::time::Duration;

use ::database::connection;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::Verdict::{self, Passed};
use crate::command::{block_on, migrations, migrations_command};
use crate::database::{Database, wait};
use crate::role::Role;
use crate::server::TestServer;
use crate::twins::{PARTITIONED, assert_no_difference, leaves, plain_of};
use crate::writers::killed;

crate::tests![
    a_reader_from_before_the_copy_is_waited_for,
    a_writer_of_another_role_from_before_the_swap_is_refused,
    unique_values_that_change_hands_while_rows_are_copied,
];

const REPEATABLE: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ";

async fn scalar(connection: &mut PgConnection, sql: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(connection).await.unwrap()
}

fn a_reader_from_before_the_copy_is_waited_for(server: &TestServer) -> Verdict {
    let role = Role::new(server);
    let database = plain_of(server, &role);
    let url = role.url(&database);
    let all = database.text("SELECT count(*)::text FROM code_files");
    database.with(async |connection| {
        let mut reader = connection.begin_with(REPEATABLE).await.unwrap();
        // It has a snapshot, and no lock on the table.
        scalar(&mut reader, "SELECT count(*) FROM schema_migrations").await;
        let mut child = migrations_command(&url, &["--patience", "60"]).spawn().unwrap();
        let mut other = connection::connect(&database.url).await.unwrap();
        wait(&mut other, "SELECT to_regclass('db_service.relayout_job') IS NOT NULL").await;
        wait(&mut other, "SELECT EXISTS (SELECT FROM db_service.relayout_job WHERE phase = 'catching_up')").await;
        // It would be swapped within milliseconds.
        tokio::time::sleep(Duration::from_millis(700)).await;
        let swapped = "SELECT count(*) FROM pg_class WHERE oid = 'public.code_files'::regclass AND relkind = 'p'";
        let swapped = scalar(&mut other, swapped).await;
        connection::close(other).await;
        let seen = scalar(&mut reader, "SELECT count(*) FROM code_files").await;
        assert_eq!(seen.to_string(), all, "rows are missing for whoever began before");
        assert_eq!(swapped, 0);
        reader.commit().await.unwrap();
        assert!(child.wait().unwrap().success());
    });
    assert_eq!(leaves(&database), PARTITIONED);
    assert_no_difference(&database, "after a reader was waited for");
    Passed
}

/// The role that runs the layer is not told what sessions of others do.
fn a_writer_of_another_role_from_before_the_swap_is_refused(server: &TestServer) -> Verdict {
    let role = Role::new(server);
    let database = plain_of(server, &role);
    database.with(async |connection| {
        let mut writer = connection.begin_with(REPEATABLE).await.unwrap();
        scalar(&mut writer, "SELECT count(*) FROM schema_migrations").await;
        let run = migrations(&role.url(&database), &["--patience", "0"]).succeeds();
        let write = sqlx::raw_sql("UPDATE code_files SET size_bytes = 0").execute(&mut *writer).await;
        let state = ::database::cause::sql_state(&write.expect_err("it writes to rows that it cannot see"));
        assert_eq!(state.as_deref(), Some("40001"));
        run.says("the old form is kept while transactions are open");
    });
    migrations(&role.url(&database), &[]).succeeds();
    assert_eq!(leaves(&database), PARTITIONED);
    assert_no_difference(&database, "after an old writer was refused");
    Passed
}

/// A value that a row gave up after it was copied, and that another has when it is copied: the copy has it twice.
fn unique_values_that_change_hands_while_rows_are_copied(server: &TestServer) -> Verdict {
    let role = Role::new(server);
    let database = plain_of(server, &role);
    let url = role.url(&database);
    for schema in ["public", "twin"] {
        database.execute(&format!(
            "ALTER TABLE {schema}.code_files ADD slot integer;
             UPDATE {schema}.code_files SET slot = id;
             CREATE UNIQUE INDEX slots ON {schema}.code_files (repo_name, slot)"
        ));
    }
    migrations(&url, &[]).succeeds();
    migrations(&url, &["revert", "--yes"]).succeeds();
    // Every batch is held up for a moment by the journal.
    database.execute(
        "UPDATE db_service.layout SET leaves = 16;
         DELETE FROM db_service.relayout_job;
         CREATE FUNCTION twin.hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(2); RETURN NEW; END $$;
         CREATE TRIGGER hold AFTER UPDATE ON db_service.relayout_range FOR EACH ROW EXECUTE FUNCTION twin.hold()",
    );
    killed(&url, &["--yes"], |_| {
        database.wait("SELECT EXISTS (SELECT FROM db_service.relayout_range WHERE rows_copied > 0 AND NOT is_done)");
    });
    let copied = "SELECT after[1] FROM db_service.relayout_range r JOIN db_service.relayout_job j ON j.id = job_id WHERE table_name = 'code_files'";
    let last = database.text(copied);
    assert!(!last.is_empty(), "nothing was copied");
    // In one repository, a row that was copied gives its value to one that was not.
    for schema in ["public", "twin"] {
        let exchange = format!(
            "WITH ends AS (SELECT min(file_path) AS first, max(file_path) AS last FROM {schema}.code_files WHERE repo_name = '{last}')
             UPDATE {schema}.code_files SET slot = -1 FROM ends WHERE repo_name = '{last}' AND file_path = ends.first;
             WITH ends AS (SELECT max(file_path) AS last FROM {schema}.code_files WHERE repo_name = '{last}')
             UPDATE {schema}.code_files c SET slot = t.id FROM ends, LATERAL (
                 SELECT id FROM {schema}.code_files WHERE repo_name = '{last}' ORDER BY file_path LIMIT 1) t
             WHERE c.repo_name = '{last}' AND c.file_path = ends.last"
        );
        database.execute(&exchange);
    }
    database.execute("DROP TRIGGER hold ON db_service.relayout_range");
    let (stop, swapped) = (std::sync::atomic::AtomicBool::new(false), std::sync::atomic::AtomicU32::new(0));
    std::thread::scope(|scope| {
        // Meanwhile two rows exchange their values without end.
        let writer = scope.spawn(|| block_on(exchange(&database, &stop, &swapped)));
        let runs = [migrations(&url, &["--yes"]), migrations(&url, &["revert", "--yes"])];
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        writer.join().unwrap();
        for run in runs {
            run.succeeds();
        }
    });
    assert!(swapped.into_inner() > 10, "the writer had no turn");
    assert_no_difference(&database, "after values changed hands");
    Passed
}

async fn exchange(database: &Database<'_>, stop: &std::sync::atomic::AtomicBool, done: &std::sync::atomic::AtomicU32) {
    let mut connection = connection::connect(&database.url).await.unwrap();
    while !stop.load(std::sync::atomic::Ordering::Relaxed) {
        let mut transaction = connection.begin().await.unwrap();
        for schema in ["public", "twin"] {
            // 7 and 47 are of one repository.
            let statement = format!(
                "UPDATE {schema}.code_files SET slot = -slot WHERE repo_name = 'repo7' AND file_path IN ('file7', 'file47');
                 UPDATE {schema}.code_files SET slot = 54 + slot WHERE repo_name = 'repo7' AND file_path IN ('file7', 'file47')"
            );
            sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *transaction).await.unwrap();
        }
        transaction.commit().await.unwrap();
        done.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    connection::close(connection).await;
}
