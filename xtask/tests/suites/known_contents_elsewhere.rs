//! `db_service::dedup::KnownContents` on a replica, and after a crash.

use std::time::Duration;

use sqlx::Connection as _;

use crate::Verdict::{self, Passed, Skipped};
use crate::command::{block_on, migrations};
use crate::known_contents::{INSERT, asking, denies, kept, known, row, run};
use crate::result_cache::pool;
use crate::server::{self, Kind, TestServer, standby};

crate::tests![a_replica_answers_and_writes_nothing, numbers_of_transactions_that_a_crash_gives_again_hide_nothing,];

fn a_replica_answers_and_writes_nothing(server: &TestServer) -> Verdict {
    if server.kind != Kind::Embedded {
        return Skipped("a standby is made of an embedded server only".to_owned());
    }
    let prepare = |primary: &TestServer| {
        let database = kept(primary);
        database.execute(&format!("{INSERT} {}", row("a", "1", "x")));
        primary.named("postgres").execute(&format!("CREATE DATABASE layer TEMPLATE {}", database.name));
    };
    let standby = match standby(prepare) {
        Ok(standby) => standby,
        Err(reason) => return Skipped(reason),
    };
    let database = standby.named("layer");
    block_on(async {
        let pool = pool(&database);
        let contents = asking(&pool);
        for _ in 0..3 {
            assert_eq!(known(&contents, &["x", "y"]).await, ["x"]);
            assert!(denies(&contents, "y").await && !denies(&contents, "x").await);
        }
        pool.close().await;
    });
    let url = database.url_text();
    migrations(&url, &["filters"]).succeeds().prints("1 contents, room for 100000");
    migrations(&url, &["verify"]).succeeds().says("Verified filter `code_files` 1 contents are all found in it");
    for option in ["--on", "--off", "--rebuild"] {
        migrations(&url, &["filters", option]).exits(2).says("is a standby and takes no writes");
    }
    Passed
}

/// What has not come to the disk is gone after a crash, and the numbers of its transactions are given again.
fn numbers_of_transactions_that_a_crash_gives_again_hide_nothing(server: &TestServer) -> Verdict {
    if server.kind != Kind::Embedded {
        return Skipped("a server of its own is killed, the same one on every server".to_owned());
    }
    let own = match server::another("wal_writer_delay = 10000\nautovacuum = off\n") {
        Ok(own) => own,
        Err(reason) => return Skipped(reason),
    };
    let database = kept(&own);
    database.execute("CHECKPOINT");
    block_on(async {
        let pool = pool(&database);
        let contents = asking(&pool);
        let mut connection = pool.acquire().await.unwrap();
        run(&mut connection, "SET synchronous_commit = off").await;
        let number = "SELECT pg_current_xact_id()::text::bigint";
        let mut before: i64 = 0;
        for _ in 0..200 {
            before = sqlx::query_scalar(number).fetch_one(&mut *connection).await.unwrap();
        }
        assert!(denies(&contents, "x").await);
        let of_backend: i32 = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut *connection).await.unwrap();
        let killed = std::process::Command::new("kill").args(["-KILL", &of_backend.to_string()]).status().unwrap();
        assert!(killed.success());
        drop(connection);
        let mut again = None;
        while again.is_none() {
            tokio::time::sleep(Duration::from_millis(20)).await;
            again = ::database::connection::connect(&database.url).await.ok();
        }
        let mut again = again.unwrap();
        run(&mut again, &format!("{INSERT} {}", row("a", "1", "x"))).await;
        let after: i64 = sqlx::query_scalar(number).fetch_one(&mut again).await.unwrap();
        eprintln!("transactions up to {before} before the crash, {after} after it");
        assert!(after < before, "no number was given again");
        assert!(!denies(&contents, "x").await);
        again.close().await.unwrap();
        pool.close().await;
    });
    Passed
}
