//! A change of layout ends, whatever writers do: those that never pause are slowed down a little, if need be.

use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::Verdict::{self, Passed};
use crate::command::migrations;
use crate::database::Database;
use crate::server::TestServer;
use crate::twins::{PARTITIONED, assert_no_difference, filled, leaves};
use crate::writers::{Writers, killed, situation};

crate::tests![
    it_ends_under_writers_that_never_pause,
    writers_that_outrun_the_copy_are_slowed_down,
    where_that_is_forbidden_the_run_ends_and_the_next_goes_on,
    a_brake_ends_with_the_run_that_was_killed,
];

/// More, for a run by hand: `TEST_VECTORS=100000`.
fn vectors() -> u32 {
    std::env::var("TEST_VECTORS").map_or(500, |vectors| vectors.parse().expect("TEST_VECTORS is a number"))
}

fn it_ends_under_writers_that_never_pause(server: &TestServer) -> Verdict {
    let database = filled(server, 10, vectors());
    let url = database.url_text();
    let writers = Writers::start_restless(&database.url, vectors());
    for (arguments, wanted) in [(&["--yes"][..], PARTITIONED), (&["revert", "--yes"], "")] {
        let started = Instant::now();
        let run = migrations(&url, arguments).succeeds();
        eprintln!("{:.0} s\n{}", started.elapsed().as_secs_f64(), run.stderr);
        assert_eq!(leaves(&database), wanted);
        assert_no_difference(&database, "under writers that never pause");
    }
    eprintln!("{} transactions", writers.finish());
    assert_no_difference(&database, "at the end");
    Passed
}

const FEW: u32 = 100;
/// Six writers, which commit some hundred transactions a second, are left thirty rows at the hardest.
const HARD: [&str; 5] = ["--yes", "--jobs", "1", "--brake", "200"];

/// An index that takes a moment a row from us alone, once it is built: the machine on which a copy cannot keep up. Four
/// connections, which are the most for [`HARD`], copy fifty rows a second if a row takes 0.08 of them.
fn slow_for_us<'a>(server: &'a TestServer, seconds: &str) -> Database<'a> {
    let database = filled(server, 10, FEW);
    database.execute(&format!(
        "CREATE FUNCTION slow(path text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN
             IF pg_catalog.current_setting('application_name') = 'singularity' AND pg_catalog.current_query() LIKE 'INSERT%' THEN
                 PERFORM pg_catalog.pg_sleep({seconds});
             END IF;
             RETURN path;
         END $$;
         CREATE INDEX slow ON embeddings (public.slow(path))"
    ));
    database
}

/// From now on it takes us no longer than others.
fn quick(database: &Database<'_>) {
    database.execute("CREATE OR REPLACE FUNCTION slow(path text) RETURNS text IMMUTABLE RETURN path");
}

fn writers_that_outrun_the_copy_are_slowed_down(server: &TestServer) -> Verdict {
    let database = slow_for_us(server, "0.08");
    let writers = Writers::start_on_embeddings(&database.url, FEW);
    let run = migrations(&database.url_text(), &HARD).succeeds().says("slowed down by up to");
    eprintln!("{}", run.stderr);
    assert_eq!(leaves(&database), PARTITIONED);
    writers.finish();
    assert_no_difference(&database, "at the end");
    Passed
}

fn where_that_is_forbidden_the_run_ends_and_the_next_goes_on(server: &TestServer) -> Verdict {
    let database = slow_for_us(server, "0.3");
    let url = database.url_text();
    let writers = Writers::start_on_embeddings(&database.url, FEW);
    migrations(&url, &["--yes", "--jobs", "1", "--brake", "0"])
        .exits(1)
        .says("writers change table `embeddings`")
        .says("`--brake`");
    assert!(database.truth("SELECT relkind = 'r' FROM pg_class WHERE oid = 'public.embeddings'::regclass"));
    quick(&database);
    migrations(&url, &["--yes"]).succeeds();
    assert_eq!(leaves(&database), PARTITIONED);
    writers.finish();
    assert_no_difference(&database, "at the end");
    Passed
}

/// It says until when it holds.
fn a_brake_ends_with_the_run_that_was_killed(server: &TestServer) -> Verdict {
    let database = slow_for_us(server, "0.08");
    let url = database.url_text();
    let writers = Writers::start_on_embeddings(&database.url, FEW);
    let until = "SELECT substring(prosrc FROM $$'([^']+[0-9])'\\)$$) FROM pg_proc WHERE prosrc LIKE '%pg_sleep%' AND proname = 'relayout_new_embeddings'";
    killed(&url, &HARD, |child| {
        while !database.truth(&format!("SELECT EXISTS ({until})")) {
            assert!(child.try_wait().unwrap().is_none(), "it ended without a brake");
            sleep(Duration::from_millis(10));
        }
    });
    let ends = format!("SELECT ({until})::timestamptz BETWEEN clock_timestamp() AND clock_timestamp() + '30 s'");
    assert!(database.truth(&ends), "{}", situation(&database));
    quick(&database);
    migrations(&url, &HARD).succeeds();
    writers.finish();
    assert_no_difference(&database, "at the end");
    Passed
}
