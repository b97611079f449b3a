//! The connection that changes things: who gets one, what it is safe from, and that it lets go when it says so.

use std::time::Duration;

use ::database::transaction::{self, End};
use ::database::{DatabaseLock, Worker, quote};
use sqlx::{AssertSqlSafe, PgConnection};

use crate::Verdict::{self, Passed, Skipped};
use crate::command::{block_on, migrations, migrations_command, xtask};
use crate::database::{Database, Stage};
use crate::relay::{self, Moment};
use crate::role::Role;
use crate::server::TestServer;
use crate::twins::{PARTITIONED, assert_no_difference, filled, leaves};

crate::tests![
    a_transaction_that_is_given_up_lets_go_at_once,
    no_setting_changes_what_a_worker_means,
    a_setting_that_cannot_be_mended_is_said,
    the_next_run_waits_for_a_worker_that_is_left,
    a_default_of_transactions_that_only_read_stops_nothing,
    what_a_session_begins_with_is_asked_again,
    a_transaction_timeout_does_not_cut_it_short,
    an_idle_session_timeout_does_not_cut_it_short,
];

async fn lock(database: &Database<'_>) -> DatabaseLock {
    DatabaseLock::acquire(&database.url, Duration::from_mins(1), |_| ()).await.unwrap()
}

async fn is_true(connection: &mut PgConnection, sql: &str) -> bool {
    sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(connection).await.unwrap()
}

/// Whoever waits for its locks waits no longer than the transaction lasts, whatever is done next.
fn a_transaction_that_is_given_up_lets_go_at_once(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::Ecto);
    database.with(async |other| {
        let lock = lock(&database).await;
        let mut worker = Worker::connect(&lock).await.unwrap();
        let held = "SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'public.code_files'::regclass AND mode = 'AccessExclusiveLock')";
        for outcome in [Ok(()), Err(sqlx::Error::RowNotFound)] {
            let failed = outcome.is_err();
            let ended = transaction::run(&mut worker, transaction::CHANGE, async |connection| {
                sqlx::raw_sql("LOCK TABLE public.code_files IN ACCESS EXCLUSIVE MODE").execute(connection).await?;
                assert!(is_true(other, held).await, "this test would not notice");
                outcome.map(End::Rollback)
            });
            assert_eq!(ended.await.is_err(), failed);
            // The worker is not used in between.
            assert!(!is_true(other, held).await, "the lock is still held");
        }
        worker.close().await;
        lock.release().await;
    });
    Passed
}

/// What roles, databases, poolers and servers of real people say; each would change our SQL or end the session.
const HOSTILE: [(&str, &str, &str); 20] = [
    ("search_path", "elsewhere", "public"),
    ("standard_conforming_strings", "off", "on"),
    ("default_transaction_read_only", "on", "off"),
    ("default_transaction_isolation", "serializable", "read committed"),
    ("default_transaction_deferrable", "on", "off"),
    ("statement_timeout", "1h", "0"),
    ("lock_timeout", "1h", "10s"),
    ("idle_in_transaction_session_timeout", "1h", "0"),
    ("idle_session_timeout", "1h", "0"),
    ("session_replication_role", "replica", "origin"),
    ("row_security", "on", "off"),
    ("default_toast_compression", "lz4", "pglz"),
    ("check_function_bodies", "off", "on"),
    ("jit", "on", "off"),
    ("jit_above_cost", "0", "0"),
    ("quote_all_identifiers", "on", "off"),
    ("DateStyle", "German", "ISO, MDY"),
    ("IntervalStyle", "sql_standard", "postgres"),
    ("bytea_output", "escape", "hex"),
    ("temp_tablespaces", "pg_default", "\"\""),
];

fn no_setting_changes_what_a_worker_means(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::Ecto);
    let name = quote::identifier(&database.name);
    let lz4 = database.truth("SELECT 'lz4' = ANY (enumvals) FROM pg_settings WHERE name = 'default_toast_compression'");
    let hostile = || HOSTILE.iter().filter(|(_, value, _)| lz4 || *value != "lz4");
    let newer = database.truth("SELECT current_setting('transaction_timeout', true) IS NOT NULL");
    let timeout = newer.then_some(&("transaction_timeout", "1h", "0"));
    let set = |(setting, value, _): &(&str, &str, &str)| format!("ALTER DATABASE {name} SET {setting} = '{value}'");
    let settings: Vec<String> = hostile().chain(timeout).map(set).collect();
    server.named("postgres").execute(&settings.join("; "));
    block_on(async {
        let lock = lock(&database).await;
        let mut worker = Worker::connect(&lock).await.unwrap();
        for (setting, _, wanted) in hostile().chain(timeout) {
            let found: String =
                sqlx::query_scalar("SELECT current_setting($1)").bind(setting).fetch_one(&mut *worker).await.unwrap();
            assert_eq!(found, wanted.trim_matches('"'), "{setting}");
        }
        worker.close().await;
        lock.release().await;
    });
    migrations(&database.url_text(), &[]).succeeds().says("Converted layout `embeddings` to 16 hash leaves");
    Passed
}

/// Only a superuser may set this one back.
fn a_setting_that_cannot_be_mended_is_said(server: &TestServer) -> Verdict {
    let login = Role::new(server);
    let database = Database::at(server, Stage::Ecto);
    let (name, role) = (quote::identifier(&database.name), &login.name);
    database.execute(&format!(
        "ALTER DATABASE {name} OWNER TO {role};
         GRANT SELECT ON schema_migrations TO {role}; ALTER ROLE {role} SET session_replication_role = replica"
    ));
    migrations(&login.url(&database), &[])
        .exits(1)
        .says("cannot prepare for changes in database")
        .says("permission denied to set parameter \"session_replication_role\"")
        .says("hint: the role lacks a right");
    database.execute(&format!("ALTER ROLE {role} RESET session_replication_role"));
    Passed
}

fn the_next_run_waits_for_a_worker_that_is_left(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::Ecto);
    block_on(async {
        let lock = lock(&database).await;
        let worker = Worker::connect(&lock).await.unwrap();
        // As a kill leaves it: the lock is free, the server still works.
        lock.release().await;
        let next = DatabaseLock::acquire(&database.url, Duration::ZERO, |_| ()).await;
        assert!(next.unwrap_err().to_string().contains("gave up waiting"));
        worker.close().await;
        DatabaseLock::acquire(&database.url, Duration::from_mins(1), |_| ()).await.unwrap().release().await;
    });
    Passed
}

fn a_default_of_transactions_that_only_read_stops_nothing(server: &TestServer) -> Verdict {
    let database = Database::empty(server);
    database.execute(&format!("ALTER DATABASE {} SET default_transaction_read_only = on", database.name));
    let url = database.url_text();
    xtask(&["db-setup", "--ecto", "load", "--environment", "test", "--database-url", &url]).succeeds();
    migrations(&url, &["create-index", "--table", "code_files", "--columns", "size_bytes,id"]).succeeds();
    migrations(&url, &["merge", "--table", "code_files", "--leaf", "8/3", "--yes"]).succeeds();
    migrations(&url, &["revert", "--yes"]).succeeds();
    Passed
}

/// A role's `statement_timeout` may end a statement that takes no time, where the machine is busy: here it is a relay that
/// ends each of the first four.
fn what_a_session_begins_with_is_asked_again(server: &TestServer) -> Verdict {
    const FIRST: [&str; 5] = [
        "server_version_num",
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        "pg_backend_pid",
        "SET statement_timeout = 0",
        "client_connection_check_interval",
    ];
    let database = Database::at(server, Stage::Ecto);
    relay::run(&database.url, Moment::CutShort(&FIRST), |url| migrations_command(url, &[]));
    assert_eq!(leaves(&database), PARTITIONED);
    Passed
}

/// Until PostgreSQL 16 there is none.
fn a_transaction_timeout_does_not_cut_it_short(server: &TestServer) -> Verdict {
    if !server.named("postgres").truth("SELECT current_setting('transaction_timeout', true) IS NOT NULL") {
        return Skipped("PostgreSQL has `transaction_timeout` since 17".to_owned());
    }
    not_cut_short(server, "transaction_timeout")
}

fn an_idle_session_timeout_does_not_cut_it_short(server: &TestServer) -> Verdict {
    not_cut_short(server, "idle_session_timeout")
}

/// One index takes longer than sessions are given, in one transaction and while others wait.
fn not_cut_short(server: &TestServer, setting: &str) -> Verdict {
    let database = filled(server, 100, 20);
    database.execute(
        "CREATE FUNCTION slow(path text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN
             IF path = 'file7' THEN PERFORM pg_catalog.pg_sleep(2.5); END IF;
             RETURN path;
         END $$;
         CREATE INDEX slow ON code_files (public.slow(file_path))",
    );
    let name = quote::identifier(&database.name);
    let postgres = server.named("postgres");
    for (arguments, wanted) in [(&["--yes"][..], PARTITIONED), (&["revert", "--yes"], "")] {
        postgres.execute(&format!("ALTER DATABASE {name} SET {setting} = '1s'"));
        migrations(&database.url_text(), arguments).succeeds();
        postgres.execute(&format!("ALTER DATABASE {name} RESET {setting}"));
        assert_eq!(leaves(&database), wanted);
        assert_no_difference(&database, setting);
    }
    Passed
}
