//! Leaves by the week: made ahead of time, whatever else fails or may not be changed, and dropped week by week.

use crate::Verdict::{self, Passed};
use crate::command::migrations;
use crate::role::{self, Role};
use crate::server::TestServer;
use crate::weekly::{forget_weeks, weeks, weeks_of, with_rows};
use crate::weeks::INTO_WEEKS;

crate::tests![
    weeks_are_made_before_they_are_needed,
    a_task_that_fails_holds_up_no_weeks,
    a_table_that_may_not_be_changed_holds_up_no_other,
    a_clock_that_was_wrong_does_not_stop_weeks,
    weeks_that_are_over_go_with_their_leaves,
];

fn weeks_are_made_before_they_are_needed(server: &TestServer) -> Verdict {
    let owner = Role::new(server);
    let database = with_rows(server, &owner, 10);
    let url = database.runner_text();
    migrations(&url, &INTO_WEEKS).succeeds();
    let all = weeks(&database);
    migrations(&url, &["maintain", "--dry-run", "--verbose"]).says("Unchanged layout `rag_performance_stats`");
    forget_weeks(&database, 3);
    migrations(&url, &[]).succeeds().changes_nothing();
    forget_weeks(&database, 2);
    migrations(&url, &["plan"]).exits(3).says("; now ").prints("ATTACH PARTITION");
    migrations(&url, &["maintain", "--dry-run"]).exits(3).says("Pending layout `rag_performance_stats`");
    migrations(&url, &[]).succeeds().says("Converted layout `rag_performance_stats`");
    assert_eq!(weeks(&database), all);
    forget_weeks(&database, 1);
    migrations(&url, &["maintain"]).succeeds().says("Converted layout `rag_performance_stats`").says("writers blocked");
    assert_eq!(weeks(&database), all);
    migrations(&url, &["maintain"]).succeeds();
    migrations(&url, &["maintain"]).succeeds().changes_nothing();
    // Whoever may not change the table is told so, and everything else is done.
    forget_weeks(&database, 1);
    let other = Role::new(server);
    database.execute(&format!(
        "GRANT USAGE ON SCHEMA db_service TO {0}; GRANT SELECT ON ALL TABLES IN SCHEMA db_service TO {0};
         GRANT SELECT, DELETE ON rag_performance_stats TO {0}",
        other.name
    ));
    migrations(&other.url(&database), &["maintain"]).succeeds().says("Left out layout `rag_performance_stats`");
    database.execute(&format!("DROP OWNED BY {}", other.name));
    Passed
}

fn a_task_that_fails_holds_up_no_weeks(server: &TestServer) -> Verdict {
    let owner = Role::new(server);
    let database = with_rows(server, &owner, 10);
    let url = database.runner_text();
    migrations(&url, &INTO_WEEKS).succeeds();
    let all = weeks(&database);
    forget_weeks(&database, 1);
    database.execute(
        "INSERT INTO llm_semantic_cache (namespace, model, prompt, prompt_hash, prompt_embedding, response, expires_at)
         VALUES ('n', 'm', '', sha256(''), array_fill(0.5, ARRAY[768])::vector, '', now() - interval '1 day');
         CREATE FUNCTION twin.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'answers stay'; END $$;
         CREATE TRIGGER refuse BEFORE DELETE ON llm_semantic_cache EXECUTE FUNCTION twin.refuse()",
    );
    migrations(&url, &["maintain"]).exits(1).says("answers stay").says("Converted layout `rag_performance_stats`");
    assert_eq!(weeks(&database), all);
    Passed
}

fn a_table_that_may_not_be_changed_holds_up_no_other(server: &TestServer) -> Verdict {
    let owner = Role::new(server);
    let database = with_rows(server, &owner, 10);
    let url = database.runner_text();
    migrations(&url, &INTO_WEEKS).succeeds();
    // By their names the one comes before the table that may be changed, and the other after it.
    for table in ["a_visit", "visit"] {
        database.execute(&format!("CREATE TABLE {table} (id bigint, at timestamptz, PRIMARY KEY (id, at))"));
        migrations(&database.url_text(), &["layout", "--table", table, "--by-week", "at", "--yes"]).succeeds();
    }
    forget_weeks(&database, 1);
    migrations(&url, &["maintain"])
        .succeeds()
        .says("Left out layout `a_visit`")
        .says("Left out layout `visit`")
        .says("Converted layout `rag_performance_stats`");
    assert_eq!(weeks(&database).last(), Some(&4));
    for table in ["a_visit", "visit"] {
        assert_eq!(weeks_of(&database, table), [0], "{table}");
    }
    Passed
}

/// It had leaves made for weeks of the year 2087, and was put right.
fn a_clock_that_was_wrong_does_not_stop_weeks(server: &TestServer) -> Verdict {
    let owner = Role::new(server);
    let database = with_rows(server, &owner, 10);
    let url = database.runner_text();
    migrations(&url, &INTO_WEEKS).succeeds();
    forget_weeks(&database, 0);
    database.execute(
        "CREATE SCHEMA leaf_week_20870106;
         CREATE TABLE leaf_week_20870106.rag_performance_stats PARTITION OF rag_performance_stats
             FOR VALUES FROM ('2087-01-06 00:00:00+00') TO ('2087-01-13 00:00:00+00')",
    );
    role::give_all(&database, &owner.name);
    database.execute(&format!(
        "ALTER SCHEMA leaf_week_20870106 OWNER TO {0}; ALTER TABLE leaf_week_20870106.rag_performance_stats OWNER TO {0}",
        owner.name
    ));
    migrations(&url, &[]).succeeds().says("Converted layout `rag_performance_stats`");
    let there = weeks(&database);
    assert!([0, 1, 2, 3, 4].iter().all(|week| there.contains(week)), "{there:?}");
    assert!(there.last() > Some(&1000));
    migrations(&url, &[]).succeeds().changes_nothing();
    Passed
}

fn weeks_that_are_over_go_with_their_leaves(server: &TestServer) -> Verdict {
    let owner = Role::new(server);
    let database = with_rows(server, &owner, 3000);
    let url = database.runner_text();
    migrations(&url, &INTO_WEEKS).succeeds();
    database.execute("DELETE FROM rag_performance_stats WHERE query_type IN ('far ahead', 'for ever')");
    let keep = ["maintain", "--keep-statistics", "30d"];
    let other = Role::new(server);
    database.execute(&format!("GRANT SELECT, DELETE ON rag_performance_stats TO {}", other.name));
    migrations(&other.url(&database), &keep).succeeds().says("and this role does not own the table");
    let before = weeks(&database);
    database.with(async |connection| {
        sqlx::raw_sql("BEGIN; SELECT FROM rag_performance_stats LIMIT 1").execute(&mut *connection).await.unwrap();
        migrations(&url, &keep).succeeds().says("the table is in use, or being changed");
        sqlx::raw_sql("COMMIT").execute(connection).await.unwrap();
    });
    assert_eq!(weeks(&database), before, "whoever reads is not interrupted");
    migrations(&url, &[&keep[..], &["--dry-run"]].concat()).exits(3).says("weeks are older than they are kept");
    migrations(&url, &keep).succeeds().says("weeks dropped, ");
    let left = weeks(&database);
    assert!(matches!(left.first(), Some(-5 | -4)) && left.last() == Some(&4), "{left:?}");
    let rows = "SELECT min(inserted_at) BETWEEN now() - interval '37 days' AND now() - interval '30 days' FROM rag_performance_stats";
    assert!(database.truth(rows), "whole weeks go, and what was older than all weeks");
    let schemas = "SELECT count(*)::text FROM pg_namespace WHERE nspname ~ '^leaf_week_'";
    assert_eq!(database.text(schemas), left.len().to_string(), "a schema goes with what was in it");
    migrations(&url, &keep).succeeds().changes_nothing();
    migrations(&url, &[]).succeeds().changes_nothing();
    assert_eq!(weeks(&database), left, "they do not come again");
    database.execute(&format!("DROP OWNED BY {}", other.name));
    Passed
}
