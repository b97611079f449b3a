//! Tables by the week: laid out under writers and through kills, there, to more weeks, and back.

use crate::Verdict::{self, Passed, Skipped};
use crate::command::migrations;
use crate::database::{Database, Stage};
use crate::role::Role;
use crate::server::TestServer;
use crate::weekly::{assert_same, forget_weeks, leaf_of, weeks, with_rows, writers};
use crate::writers::killed_in_every_phase;

crate::tests![
    a_table_goes_into_weeks_and_back_under_writers_and_kills,
    rows_that_came_too_early_move_into_their_weeks_under_writers_and_kills,
    times_without_a_zone_have_weeks_too,
    a_summary_reads_only_the_weeks_that_it_is_about,
    what_has_no_weeks_is_refused,
    timescaledb_may_come_and_go,
];

pub(crate) const INTO_WEEKS: [&str; 6] =
    ["layout", "--table", "rag_performance_stats", "--by-week", "inserted_at", "--yes"];

fn a_table_goes_into_weeks_and_back_under_writers_and_kills(server: &TestServer) -> Verdict {
    let owner = Role::new(server);
    let database = with_rows(server, &owner, 2000);
    let url = database.runner_text();
    let undisturbed = database.dump();
    let writers = writers(&database.url);
    killed_in_every_phase(&database, &INTO_WEEKS, 1);
    migrations(&url, &[]).succeeds();
    assert_same(&database, "in weeks");
    assert_eq!(weeks(&database).first_chunk(), Some(&[-12, -11, -10]), "2000 hours");
    assert_eq!(weeks(&database).last(), Some(&4));
    for row in ["long ago", "far ahead", "for ever", "never"] {
        assert!(leaf_of(&database, &format!("query_type = '{row}'")).starts_with("leaf_rest_"), "{row}");
    }
    migrations(&url, &["verify"]).succeeds();
    migrations(&url, &[]).succeeds().changes_nothing();
    migrations(&url, &["revert", "--table", "rag_performance_stats", "--yes"])
        .succeeds()
        .says("to go back: `migrations layout --table rag_performance_stats --by-week inserted_at`");
    assert!(writers.finish() > 20, "the writers had no turn");
    assert_same(&database, "in one table again");
    database.execute(
        "DELETE FROM db_service.layout WHERE path_key IS NULL; DROP TABLE twin.held; DROP FUNCTION twin.hold()",
    );
    assert!(database.dump() == undisturbed, "its definition differs");
    Passed
}

/// Nobody has made leaves for some weeks: what was written meanwhile is in none of them.
fn rows_that_came_too_early_move_into_their_weeks_under_writers_and_kills(server: &TestServer) -> Verdict {
    let owner = Role::new(server);
    let database = with_rows(server, &owner, 500);
    let url = database.runner_text();
    migrations(&url, &INTO_WEEKS).succeeds().says("Converted layout `rag_performance_stats` to 8 weekly leaves");
    forget_weeks(&database, 0);
    assert_eq!(weeks(&database).last(), Some(&-1));
    let now = "inserted_at BETWEEN now() - interval '1 hour' AND now() + interval '1 hour'";
    let both = ["public.rag_performance_stats", "twin.stats"];
    // What is too old goes in any case.
    database
        .execute("DELETE FROM twin.stats s WHERE NOT EXISTS (SELECT FROM rag_performance_stats r WHERE r.id = s.id)");
    for relation in both {
        database.execute(&format!("DELETE FROM {relation} WHERE query_type IN ('long ago', 'never')"));
        database.execute(&format!(
            "INSERT INTO {relation} (id, inserted_at, query_type, execution_time_ms, rows_returned, cache_hit)
             SELECT 900000 + g, date_trunc('hour', now()) + g * interval '1 hour', 'early', g, 0, false FROM generate_series(0, 500) g"
        ));
    }
    assert!(leaf_of(&database, now).starts_with("leaf_rest_"));
    let writers = writers(&database.url);
    killed_in_every_phase(&database, &["maintain"], 1);
    migrations(&url, &["maintain"]).succeeds();
    writers.finish();
    assert_same(&database, "with more weeks");
    assert_eq!(weeks(&database).last(), Some(&4));
    let early = "SELECT bool_and(tableoid::regclass::text LIKE 'leaf_week_%') FROM rag_performance_stats WHERE query_type = 'early'";
    assert!(database.truth(early), "each row is in its week");
    migrations(&url, &["verify"]).succeeds();
    Passed
}

fn times_without_a_zone_have_weeks_too(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    let url = database.url_text();
    let name = database.text("SELECT quote_ident(current_database())");
    database.execute(&format!(
        "ALTER DATABASE {name} SET timezone = 'America/New_York'; ALTER DATABASE {name} SET datestyle = 'SQL, DMY'"
    ));
    for (table, kind) in [("with_zone", "timestamptz"), ("without_zone", "timestamp(0)"), ("whole_days", "date")] {
        database.execute(&format!(
            "CREATE TABLE {table} (id bigint, at {kind}, PRIMARY KEY (id, at));
             INSERT INTO {table} SELECT g, (now() AT TIME ZONE 'UTC')::timestamp - g * interval '1 day' FROM generate_series(1, 20) g"
        ));
        migrations(&url, &["layout", "--table", table, "--by-week", "at", "--yes"]).succeeds().says("weekly leaves");
        migrations(&url, &[]).succeeds().changes_nothing();
        let is_in_its_week = format!(
            "SELECT bool_and(tableoid::regclass::text = format('leaf_week_%s.{table}', to_char(date_trunc('week', at::timestamp), 'YYYYMMDD')))
             FROM {table}"
        );
        if kind != "timestamptz" {
            assert!(database.truth(&is_in_its_week), "{table}");
        }
        assert_eq!(database.text(&format!("SELECT count(*)::text FROM {table}")), "20");
    }
    migrations(&url, &["verify"]).succeeds();
    Passed
}

fn a_summary_reads_only_the_weeks_that_it_is_about(server: &TestServer) -> Verdict {
    let owner = Role::new(server);
    let database = with_rows(server, &owner, 2000);
    migrations(&database.runner_text(), &INTO_WEEKS).succeeds();
    let summary = include_str!("../../../db_service/queries/stats_summary.sql");
    // As a plan that was made once has it: a parameter that is asked for when it runs.
    let summary = summary.replace("$1", "(SELECT '1 day'::text)").replace("$2", "24").replace("$3", "NULL");
    let summary: String = summary.lines().filter(|line| !line.starts_with("--")).collect::<Vec<_>>().join("\n");
    let plan = database.column(&format!("EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) {summary}"));
    let are_read = |line: &&String| line.contains(" on rag_performance_stats") && !line.contains("never executed");
    let read = plan.iter().filter(are_read).count();
    // That of this day, it may be the one before, those of the weeks to come, and what is in none of them.
    assert!((1..=7).contains(&read), "{plan:#?}");
    migrations(&database.runner_text(), &["stats", "--since", "7d"]).succeeds();
    Passed
}

fn what_has_no_weeks_is_refused(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    let url = database.url_text();
    database.execute(
        "CREATE TABLE numbered (id bigint PRIMARY KEY, at timestamptz NOT NULL DEFAULT now());
         CREATE TABLE named (id bigint, at text, PRIMARY KEY (id, at));
         CREATE TABLE monthly (id bigint, at timestamptz, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
         CREATE TABLE monthly_1 PARTITION OF monthly FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');",
    );
    let before = database.dump();
    let by_week =
        |table: &str, code| migrations(&url, &["layout", "--table", table, "--by-week", "at", "--yes"]).exits(code);
    by_week("nowhere", 4).says("it does not exist");
    by_week("numbered", 4).says("its unique constraint `numbered_pkey` lacks `at`");
    by_week("named", 4).says("its column `at` is text, which has no weeks");
    by_week("monthly", 4).says("its partition `public.monthly_1` is not one of ours");
    by_week("code_files", 2).says("table `code_files` is laid out by `repo_name`");
    migrations(&url, &["layout", "--by-week", "at"]).exits(2);
    migrations(&url, &["layout", "--table", "rag_performance_stats"]).exits(2);
    assert!(database.dump() == before, "something was touched");
    migrations(&url, &[&INTO_WEEKS[..], &["--dry-run"]].concat()).exits(3).says("weekly leaves");
    assert!(database.dump() == before, "a dry run changed something");
    migrations(&url, &INTO_WEEKS).succeeds();
    migrations(&url, &["layout", "--table", "rag_performance_stats", "--leaves", "16", "--yes"])
        .exits(2)
        .says("laid out by the week, not in 16 leaves");
    migrations(&url, &["merge", "--table", "rag_performance_stats", "--leaf", "2/0"]).exits(2).says("weekly leaves");
    migrations(&url, &["split", "--table", "rag_performance_stats"]).succeeds();
    if server.offers("timescaledb") {
        database.execute(
            "CREATE EXTENSION IF NOT EXISTS timescaledb;
             CREATE TABLE chunked (id bigint, at timestamptz, PRIMARY KEY (id, at));
             SELECT create_hypertable('chunked', 'at'); INSERT INTO chunked VALUES (1, now())",
        );
        by_week("chunked", 4).says("it takes part in inheritance");
    }
    // Rows of all other times would be refused by the server.
    let rest = database.text("SELECT leaf_schema FROM db_service.week_leaves WHERE since IS NULL");
    database.execute(&format!("ALTER TABLE rag_performance_stats DETACH PARTITION {rest}.rag_performance_stats"));
    migrations(&url, &["verify"]).exits(4).says("is gone or detached").says("rag_performance_stats DEFAULT`");
    Passed
}

fn timescaledb_may_come_and_go(server: &TestServer) -> Verdict {
    if !server.offers("timescaledb") {
        return Skipped("this server does not offer `timescaledb`".into());
    }
    let owner = Role::new(server);
    let database = with_rows(server, &owner, 500);
    let url = database.runner_text();
    migrations(&url, &INTO_WEEKS).succeeds();
    // As a test before this one may have left the template.
    database.execute("DROP EXTENSION IF EXISTS timescaledb CASCADE");
    assert_same(&database, "without it");
    database.execute("CREATE EXTENSION timescaledb");
    migrations(&url, &[]).succeeds().changes_nothing();
    forget_weeks(&database, 1);
    migrations(&url, &["maintain"]).succeeds().says("Converted layout `rag_performance_stats`");
    migrations(&url, &["verify"]).succeeds();
    database.execute("DROP EXTENSION timescaledb CASCADE");
    database.execute("DELETE FROM twin.stats WHERE query_type IN ('long ago', 'never')");
    assert_same(&database, "without it again");
    migrations(&url, &[]).succeeds().changes_nothing();
    Passed
}
