//! `migrations maintain`: what is due is done, once, and what is not due or not allowed is said.

use crate::Verdict::{self, Passed, Skipped};
use crate::command::{migrations, migrations_command, run};
use crate::database::{Database, Stage};
use crate::oracle::filled;
use crate::role::Role;
use crate::server::TestServer;
use crate::versions::{INSERT, row};

crate::tests![
    a_run_does_what_is_due_and_the_next_one_nothing,
    before_the_layer_is_there_it_says_so,
    results_that_are_being_read_are_left_until_the_next_run,
    what_a_clock_has_put_far_ahead_deletes_nothing,
    memory_is_filled_once_a_start_and_after_a_crash,
    without_the_extension_or_where_the_server_does_it_memory_is_left,
    who_may_not_is_told_task_by_task,
    two_runs_at_once_share_the_work,
];

/// Something for each task.
const LITTER: &str = "
    INSERT INTO embeddings (repo_name, path, model, content_hash, embedding)
    SELECT repo_name, path || '~new', model, content_hash, embedding FROM embeddings LIMIT 20;
    SELECT db_service.cache_put('key', 'value', '1 h');
    UPDATE db_service.cache_generation SET rotated_at = now() - interval '2 h';
    INSERT INTO llm_semantic_cache (namespace, model, prompt, prompt_hash, prompt_embedding, response, expires_at)
    SELECT 'n', 'm', '', sha256(g::text::bytea), (SELECT embedding FROM embeddings LIMIT 1), '', now() + g * interval '1 h'
    FROM generate_series(-2, 2) g;
    INSERT INTO rag_performance_stats (inserted_at, query_type, execution_time_ms)
    SELECT now() - g * interval '40 days', 'q', 1 FROM generate_series(0, 4) g";

fn a_run_does_what_is_due_and_the_next_one_nothing(server: &TestServer) -> Verdict {
    let database = filled(server);
    let url = database.url_text();
    database.execute(LITTER);
    for path in 1..=3 {
        database.execute(&format!("{INSERT} {}", row("a", &path.to_string())));
    }
    let rows = "SELECT concat_ws(' ', (SELECT count(*) FROM db_service.fresh_codes), (SELECT count(*) FROM llm_semantic_cache),
                       (SELECT count(*) FROM rag_performance_stats), (SELECT current FROM db_service.cache_generation))";
    let before = database.text(rows);
    migrations(&url, &["maintain", "--dry-run"])
        .exits(3)
        .says("20 fresh ones for the index")
        .says("marks to fold")
        .says("rotated more than 1.0 hours ago")
        .says("3 have expired")
        .says("2 are older than they are kept");
    assert_eq!(database.text(rows), before, "a dry run writes nothing");
    migrations(&url, &["maintain"])
        .succeeds()
        .says("20 fresh ones taken into the index")
        .says("marks folded")
        .says("the oldest generation emptied")
        .says("3 rows deleted")
        .says("2 rows deleted");
    assert_eq!(database.text(rows), "0 2 3 1");
    migrations(&url, &["maintain"]).succeeds().changes_nothing();
    migrations(&url, &["maintain", "--dry-run"]).succeeds();
    migrations(&url, &["maintain", "--keep-statistics", "30d"]).succeeds().says("2 rows deleted");
    migrations(&url, &["verify"]).succeeds();
    Passed
}

fn before_the_layer_is_there_it_says_so(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::Ecto);
    database.execute(
        "INSERT INTO rag_performance_stats (inserted_at, query_type, execution_time_ms)
         SELECT now() - g * interval '91 days', 'q', 1 FROM generate_series(0, 1) g",
    );
    migrations(&database.url_text(), &["maintain"])
        .succeeds()
        .says("the layer's migrations have not been applied")
        .says("1 rows deleted");
    let database = Database::empty(server);
    migrations(&database.url_text(), &["maintain"]).succeeds().says("there is no table `public.rag_performance_stats`");
    Passed
}

fn results_that_are_being_read_are_left_until_the_next_run(server: &TestServer) -> Verdict {
    let database = filled(server);
    database.execute(LITTER);
    let url = database.url_text();
    database.with(async |connection| {
        sqlx::raw_sql("BEGIN; SELECT db_service.cache_get('key')").execute(&mut *connection).await.unwrap();
        migrations(&url, &["maintain"]).succeeds().says("a transaction is open that has read them");
        sqlx::raw_sql("COMMIT").execute(connection).await.unwrap();
    });
    migrations(&url, &["maintain"]).succeeds().says("the oldest generation emptied");
    Passed
}

fn what_a_clock_has_put_far_ahead_deletes_nothing(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::Ecto);
    // As a server sees its own rows whose clock is a year ahead now: none is newer than they are.
    database.execute(
        "INSERT INTO rag_performance_stats (inserted_at, query_type, execution_time_ms)
         SELECT now() - interval '1 year' - g * interval '1 day', 'q', 1 FROM generate_series(0, 99) g",
    );
    migrations(&database.url_text(), &["maintain"]).succeeds().says("9 rows deleted");
    assert_eq!(
        database.text("SELECT count(*)::text FROM rag_performance_stats"),
        "91",
        "the last 90 days that there are"
    );
    Passed
}

fn memory_is_filled_once_a_start_and_after_a_crash(server: &TestServer) -> Verdict {
    if !server.offers("pg_prewarm") {
        return Skipped("this server does not offer `pg_prewarm`".into());
    }
    let database = filled(server);
    let url = database.url_text();
    database.execute("CREATE EXTENSION IF NOT EXISTS pg_prewarm");
    let search = "SET enable_seqscan = off; SELECT count(*) FROM embeddings WHERE repo_name = 'middle'";
    database.execute(search);
    let counted = "SELECT pg_stat_force_next_flush(), sum(idx_blks_hit + idx_blks_read) > 0 FROM pg_statio_user_indexes WHERE relname = 'embeddings'";
    database.wait(&counted.replace("pg_stat_force_next_flush(), ", ""));
    migrations(&url, &["maintain"]).succeeds().says("indexes of").says("read");
    migrations(&url, &["maintain", "--verbose"]).succeeds().says("filled since the server was started");
    let hottest =
        "SELECT index_name FROM db_service.index_use WHERE blocks > 0 AND index_name ~ 'embeddings_pkey' LIMIT 1";
    assert!(!database.text(hottest).is_empty());
    // A start after a crash: the counters are lost.
    database.execute("UPDATE db_service.warmed SET started_at = '2000-01-01'; SELECT pg_stat_reset()");
    migrations(&url, &["maintain", "--dry-run"]).exits(3).says("to read");
    migrations(&url, &["maintain"]).succeeds().says("read");
    migrations(&url, &["maintain", "--verbose"]).succeeds().says("filled since the server was started");
    // What is gone is forgotten, and holds up nothing.
    database.execute(
        "DROP INDEX db_service.embedding_codes_halfvec; UPDATE db_service.warmed SET started_at = '2000-01-01'",
    );
    migrations(&url, &["maintain"]).succeeds().says("read");
    assert!(
        database.truth("SELECT NOT EXISTS (SELECT FROM db_service.index_use WHERE to_regclass(index_name) IS NULL)")
    );
    Passed
}

fn without_the_extension_or_where_the_server_does_it_memory_is_left(server: &TestServer) -> Verdict {
    let database = filled(server);
    let url = database.url_text();
    database.execute("DROP EXTENSION IF EXISTS pg_prewarm");
    migrations(&url, &["maintain"])
        .succeeds()
        .says("the extension `pg_prewarm` is not installed")
        .says("`CREATE EXTENSION pg_prewarm`");
    database.execute(&format!("ALTER DATABASE {} SET pg_prewarm.autoprewarm = 'on'", database.name));
    migrations(&url, &["maintain", "--verbose"]).succeeds().says("the server fills it by itself");
    Passed
}

fn who_may_not_is_told_task_by_task(server: &TestServer) -> Verdict {
    let role = Role::new(server);
    let database = filled(server);
    database.execute(LITTER);
    let url = role.url(&database);
    migrations(&url, &["maintain"])
        .succeeds()
        .says("this role may not fold them")
        .says("this role may not rotate them")
        .says("this role may not delete from it")
        .says("run it as the role that runs `migrations`");
    database.execute(&format!("GRANT SELECT, DELETE ON rag_performance_stats TO {}", role.name));
    migrations(&url, &["maintain"]).succeeds().says("2 rows deleted");
    Passed
}

fn two_runs_at_once_share_the_work(server: &TestServer) -> Verdict {
    let database = filled(server);
    let url = database.url_text();
    database.execute(LITTER);
    std::thread::scope(|scope| {
        let runs = [0, 1].map(|_| scope.spawn(|| run(migrations_command(&url, &["maintain"])).succeeds()));
        for run in runs {
            run.join().unwrap();
        }
    });
    migrations(&url, &["maintain", "--dry-run"]).succeeds();
    Passed
}
