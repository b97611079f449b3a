//! `db_service::stats`: what queries took is written, whatever happens to the table, and summed up as it is.

use std::time::Duration;

use ::database::DatabaseUrl;
use db_service::search::{self, Query, Scope};
use db_service::stats::{self, Measurement, Options, Recorder, Tally};
use futures_util::future::join;

use crate::Verdict::{self, Passed};
use crate::command::{block_on, migrations};
use crate::database::{Database, Stage};
use crate::oracle::filled;
use crate::result_cache::{ALWAYS, pool};
use crate::role::Role;
use crate::server::TestServer;

crate::tests![
    what_is_recorded_is_written_as_of_then,
    searches_are_recorded_by_one_word,
    what_cannot_be_stored_takes_nothing_else_along,
    a_table_that_is_locked_holds_up_nobody_and_drops_are_counted,
    a_connection_that_ends_loses_nothing,
    who_may_not_write_is_told_and_searches_on,
    they_are_summed_up_as_they_are,
    a_table_that_nobody_may_read_is_an_error_in_three_parts,
];

/// Few, so that every test fills it, and at once.
const SMALL: Options = Options { queue: 10, batch: 4, every: Duration::from_millis(1) };

fn measured(query_type: &'static str) -> Measurement {
    Measurement::new(query_type, Duration::from_micros(1500))
}

/// What becomes of what is recorded.
fn recorded(url: &DatabaseUrl, options: Options, record: impl AsyncFnOnce(Recorder)) -> Tally {
    block_on(async {
        let (recorder, writer) = stats::recorder(options);
        join(writer.run(url.clone()), record(recorder)).await.0
    })
}

fn what_is_recorded_is_written_as_of_then(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::Ecto);
    let before = database.text("SELECT clock_timestamp()::text");
    // Written by one statement: what lies between them is what the recorder says.
    let together = Options { every: Duration::from_mins(1), ..SMALL };
    let tally = recorded(&database.url, together, async |recorder| {
        recorder.record(measured("early").rows(7).repository("a"));
        tokio::time::sleep(Duration::from_millis(50)).await;
        recorder.record(measured("late").cache_hit(true));
    });
    assert_eq!(tally, Tally { recorded: 2, written: 2, ..Tally::default() });
    let rows = "SELECT concat_ws(' ', query_type, repo_name, execution_time_ms, rows_returned, cache_hit) FROM rag_performance_stats ORDER BY inserted_at";
    assert_eq!(database.column(rows), ["early a 1.5 7 f", "late 1.5 0 t"]);
    let times = format!(
        "SELECT min(inserted_at) >= '{before}' AND max(inserted_at) <= clock_timestamp()
                AND max(inserted_at) - min(inserted_at) >= '40 ms' FROM rag_performance_stats"
    );
    assert!(database.truth(&times), "{:?}", database.column("SELECT inserted_at::text FROM rag_performance_stats"));
    Passed
}

fn searches_are_recorded_by_one_word(server: &TestServer) -> Verdict {
    let database = filled(server);
    recorded(&database.url, Options::MODEST, async |recorder| {
        let pool = pool(&database);
        let cache = db_service::cache::Cache::new(pool.clone(), ALWAYS);
        let vector: Vec<f32> = (0..768_u16).map(|it| f32::from(it % 7) - 3.0).collect();
        let query = |scope| Query::new(vector.clone(), scope).nearest(3);
        let one = query(Scope::Repository("middle".into()));
        search::recorded(&recorder, &one, search::search(&pool, &one)).await.unwrap();
        let all = query(Scope::Everywhere);
        for _ in 0..2 {
            search::recorded(&recorder, &all, search::cached(&cache, &pool, &all)).await.unwrap();
        }
        let none = Query::new(vec![0.0; 768], Scope::Repositories(Vec::new()));
        search::recorded(&recorder, &none, search::search(&pool, &none)).await.unwrap_err();
        assert_eq!(recorder.tally().recorded, 3, "a search that failed took nothing that counts");
        pool.close().await;
    });
    let rows = "SELECT concat_ws(' ', query_type, COALESCE(repo_name, '-'), rows_returned, cache_hit) FROM rag_performance_stats ORDER BY id";
    assert_eq!(
        database.column(rows),
        ["search_in_repository middle 3 f", "search_across - 3 f", "search_across - 3 t"]
    );
    Passed
}

fn what_cannot_be_stored_takes_nothing_else_along(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::Ecto);
    let tally = recorded(&database.url, Options { batch: 10, ..SMALL }, async |recorder| {
        for query_type in ["a", "b", "no\0text", "c", "d"] {
            recorder.record(measured(query_type));
        }
        while recorder.tally().written < 4 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let trouble = recorder.trouble().expect("it is told");
        assert_eq!(::database::cause::sql_state(&trouble).as_deref(), Some("22021"), "{trouble}");
    });
    assert_eq!(tally, Tally { recorded: 5, written: 4, refused: 1, dropped: 0 });
    assert_eq!(database.column("SELECT query_type FROM rag_performance_stats ORDER BY 1"), ["a", "b", "c", "d"]);
    Passed
}

fn a_table_that_is_locked_holds_up_nobody_and_drops_are_counted(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::Ecto);
    let tally = recorded(&database.url, SMALL, async |recorder| {
        let pool = pool(&database);
        let mut holder = pool.begin().await.unwrap();
        sqlx::raw_sql("LOCK TABLE rag_performance_stats IN ACCESS EXCLUSIVE MODE").execute(&mut *holder).await.unwrap();
        // Nothing is awaited: the queue takes ten, whatever the writer has taken by then.
        for _ in 0..100 {
            recorder.record(measured("many"));
        }
        let tally = recorder.tally();
        assert_eq!((tally.recorded, tally.dropped), (100, 90));
        holder.commit().await.unwrap();
        pool.close().await;
    });
    assert_eq!(tally, Tally { recorded: 100, written: 10, dropped: 90, refused: 0 });
    Passed
}

fn a_connection_that_ends_loses_nothing(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::Ecto);
    let tally = recorded(&database.url, SMALL, async |recorder| {
        let pool = pool(&database);
        for round in 1..=3 {
            recorder.record(measured("kept"));
            while recorder.tally().written < round {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            let end = "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity
                       WHERE application_name = 'singularity statistics' AND datname = current_database()";
            let ended: i64 = sqlx::query_scalar(end).fetch_one(&pool).await.unwrap();
            assert_eq!(ended, 1);
        }
        recorder.record(measured("kept"));
        pool.close().await;
    });
    assert_eq!((tally.recorded, tally.written), (4, 4));
    Passed
}

fn who_may_not_write_is_told_and_searches_on(server: &TestServer) -> Verdict {
    let role = Role::new(server);
    let database = Database::at(server, Stage::Ecto);
    let url = DatabaseUrl::parse(&role.url(&database)).unwrap();
    let tally = recorded(&url, SMALL, async |recorder| {
        (0..5).for_each(|_| recorder.record(measured("many")));
        while recorder.tally().refused < 5 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let trouble = recorder.trouble().expect("it is told");
        assert_eq!(::database::cause::sql_state(&trouble).as_deref(), Some("42501"), "{trouble}");
    });
    assert_eq!(tally, Tally { recorded: 5, refused: 5, ..Tally::default() });
    Passed
}

fn they_are_summed_up_as_they_are(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::Ecto);
    let stats = |arguments: &[&str]| migrations(&database.url_text(), &[&["stats"], arguments].concat()).succeeds();
    stats(&[]).prints("nothing was measured in the last 1day");
    // 1 to 100 ms; the first half 90 minutes ago. One of a clock that was ahead, and one that is too old.
    database.execute(
        "INSERT INTO rag_performance_stats (inserted_at, query_type, execution_time_ms, cache_hit)
         SELECT now() - CASE WHEN g <= 50 THEN interval '92.5 min' ELSE interval '7.5 min' END, 'search_across', g, g % 4 = 0
         FROM generate_series(1, 100) g
         UNION ALL VALUES (now() + interval '1 day', 'ahead', 2, false), (now() - interval '3 h', 'old', 3, false)",
    );
    stats(&["--since", "2h"])
        .prints("search_across")
        .prints("100")
        .prints("95 ms")
        .prints("25 %")
        .prints("101 queries of 2 types");
    stats(&["--since", "1h"]).prints("51 queries of 2 types");
    stats(&["--since", "2h", "--query-type", "ahead"]).prints("1 query of 1 type");
    let found = stats(&["--since", "2h", "--json"]).json();
    let across = &found["steps"][0]["facts"];
    for (name, value) in
        [("queries", 100.0), ("hits", 25.0), ("p50", 50.5), ("p95", 95.05), ("p99", 99.01), ("longest", 100.0)]
    {
        assert!((across[name].as_f64().unwrap() - value).abs() < 1e-6, "{name}: {across}");
    }
    let slots: Vec<_> = across["slots"].as_array().unwrap().iter().map(|slot| slot["queries"].as_u64()).collect();
    let filled: Vec<_> = slots.iter().enumerate().filter_map(|(slot, queries)| queries.map(|it| (slot, it))).collect();
    // Of 24 slots of five minutes.
    assert_eq!(slots.len(), 24);
    assert_eq!(filled, [(5, 50), (22, 50)]);
    let ahead = found["steps"][1]["facts"]["slots"][23]["queries"].as_u64();
    assert_eq!(ahead, Some(1), "what lies in the future is the last");
    migrations(&database.url_text(), &["stats", "--since", "soon"]).exits(2).says("soon");
    Passed
}

fn a_table_that_nobody_may_read_is_an_error_in_three_parts(server: &TestServer) -> Verdict {
    let role = Role::new(server);
    let database = Database::at(server, Stage::Ecto);
    migrations(&role.url(&database), &["stats"])
        .exits(1)
        .says("cannot sum up what was measured")
        .says("permission denied for table rag_performance_stats");
    Passed
}
