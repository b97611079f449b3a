//! Transactions that are prepared: they are no session's any more, and are older than a swap for so long as they stay.

use std::time::Duration;

use ::database::connection;
use sqlx::AssertSqlSafe;

use crate::Verdict::{self, Passed, Skipped};
use crate::command::{block_on, migrations, migrations_command};
use crate::database::Database;
use crate::role::Role;
use crate::server::TestServer;
use crate::twins::{PARTITIONED, assert_no_difference, leaves, plain, plain_of};
use crate::writers::killed_in;

crate::tests![
    one_from_before_the_copy_is_waited_for,
    one_from_before_the_swap_keeps_the_old_form,
    one_that_has_written_before_the_copy_keeps_it_from_starting,
    one_that_has_written_during_the_copy_keeps_it_from_the_swap,
];

/// Both ends that one may have, with the role that runs the layer: a superuser, or who owns all of it and no more.
const CASES: [(&str, bool); 2] = [("COMMIT", true), ("ROLLBACK", false)];

const ELSEWHERE: &str = "CREATE TABLE twin.noted AS TABLE schema_migrations";

const CHANGE: &str = "UPDATE code_files SET size_bytes = 7 WHERE repo_name = 'repo7';
     UPDATE twin.code_files SET size_bytes = 7 WHERE repo_name = 'repo7';
     DELETE FROM code_files WHERE repo_name = 'repo8';
     DELETE FROM twin.code_files WHERE repo_name = 'repo8'";

const LATER: &str = "UPDATE code_files SET size_bytes = 9 WHERE repo_name = 'repo9';
     UPDATE twin.code_files SET size_bytes = 9 WHERE repo_name = 'repo9'";

/// The one of a database, of its name; what is left of them at the end is rolled back, else nobody could drop it.
struct Prepared<'a>(&'a Database<'a>);

impl Prepared<'_> {
    /// At REPEATABLE READ, by a superuser.
    fn begin(&self, sql: &str) {
        let (database, name) = (self.0, &self.0.name);
        database.execute(&format!("BEGIN ISOLATION LEVEL REPEATABLE READ; {sql}; PREPARE TRANSACTION '{name}'"));
    }

    fn end(&self, how: &str) {
        self.0.execute(&format!("{how} PREPARED '{}'", self.0.name));
    }
}

impl Drop for Prepared<'_> {
    fn drop(&mut self) {
        // After a failure as well, and then without a second one.
        block_on(async {
            let Ok(mut connection) = connection::connect(&self.0.url).await else { return };
            let rollback = format!("ROLLBACK PREPARED '{}'", self.0.name);
            drop(sqlx::raw_sql(AssertSqlSafe(rollback)).execute(&mut connection).await);
            connection::close(connection).await;
        });
    }
}

const PLAIN: &str = "SELECT relkind = 'r' FROM pg_class WHERE oid = 'public.code_files'::regclass";

/// Somebody waits for a lock on the table.
const HELD_UP: &str =
    "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 'public.code_files'::regclass)";

/// What it changes, elsewhere or in the table.
const CHANGED: &str =
    "SELECT format('%s %s', to_regclass('twin.noted'), count(*)) FROM code_files WHERE repo_name = 'repo8'";

/// Each case on a database of its own, in the end without a difference.
fn in_each_case(server: &TestServer, sql: &str, tried: impl Fn(&Database<'_>, &dyn Fn(), &dyn Fn())) -> Verdict {
    if server.named("postgres").text("SHOW max_prepared_transactions") == "0" {
        return Skipped("the server lets nobody prepare a transaction".to_owned());
    }
    for (end, of_a_role) in CASES {
        let role = Role::new(server);
        let database = if of_a_role { plain_of(server, &role) } else { plain(server) };
        let before = database.text(CHANGED);
        let prepared = Prepared(&database);
        tried(&database, &|| prepared.begin(sql), &|| prepared.end(end));
        migrations(&database.runner_text(), &[]).succeeds();
        assert_eq!(leaves(&database), PARTITIONED);
        assert_eq!(database.text("SELECT count(*)::text FROM pg_namespace WHERE nspname LIKE 'db\\_service\\_%'"), "0");
        assert_eq!(database.text(CHANGED) == before, end == "ROLLBACK");
        assert_no_difference(&database, &format!("after {end} PREPARED"));
    }
    Passed
}

fn one_from_before_the_copy_is_waited_for(server: &TestServer) -> Verdict {
    in_each_case(server, ELSEWHERE, |database, begin, end| {
        begin();
        let mut child = migrations_command(&database.runner_text(), &["--patience", "60"]).spawn().unwrap();
        wait_for_phase(database, "catching_up");
        // It would be swapped within milliseconds.
        std::thread::sleep(Duration::from_millis(700));
        assert!(database.truth(PLAIN));
        end();
        assert!(child.wait().unwrap().success());
    })
}

fn one_from_before_the_swap_keeps_the_old_form(server: &TestServer) -> Verdict {
    in_each_case(server, ELSEWHERE, |database, begin, end| {
        begin();
        let run = migrations(&database.runner_text(), &["--patience", "0"]).succeeds();
        run.says("the old form is kept while transactions are open");
        assert_eq!(leaves(database), PARTITIONED);
        // Whoever comes later may write.
        database.execute(LATER);
        migrations(&database.runner_text(), &["--patience", "0"])
            .says("the old form is kept while transactions are open");
        end();
    })
}

/// Whether a job is in a phase, or comes to it.
fn wait_for_phase(database: &Database<'_>, phase: &str) {
    database.wait("SELECT to_regclass('db_service.relayout_job') IS NOT NULL");
    database.wait(&format!("SELECT EXISTS (SELECT FROM db_service.relayout_job WHERE phase = '{phase}')"));
}

/// Its lock on the table is no session's.
fn one_that_has_written_before_the_copy_keeps_it_from_starting(server: &TestServer) -> Verdict {
    in_each_case(server, CHANGE, |database, begin, end| {
        begin();
        let mut child = migrations_command(&database.runner_text(), &["--patience", "0"]).spawn().unwrap();
        database.wait(HELD_UP);
        assert!(database.truth("SELECT NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = 'public.code_files'::regclass AND NOT tgisinternal)"));
        end();
        assert!(child.wait().unwrap().success());
    })
}

fn one_that_has_written_during_the_copy_keeps_it_from_the_swap(server: &TestServer) -> Verdict {
    in_each_case(server, CHANGE, |database, begin, end| {
        let url = database.runner_text();
        migrations(&url, &[]).succeeds();
        migrations(&url, &["revert", "--yes"]).succeeds();
        database.execute("UPDATE db_service.layout SET leaves = 16");
        killed_in(database, &[], "backfilling", true);
        begin();
        let mut child = migrations_command(&url, &["--patience", "0"]).spawn().unwrap();
        wait_for_phase(database, "catching_up");
        database.wait(HELD_UP);
        assert!(database.truth(PLAIN));
        end();
        assert!(child.wait().unwrap().success());
    })
}
