//! `db_service::answers`: what is used is counted, many at once, and what it saved is summed up.

use db_service::answers::{New, Prompt, saved};
use sqlx::AssertSqlSafe;

use crate::Verdict::{self, Passed};
use crate::answers::{column, execute, fill, named, prompt, with};
use crate::command::migrations;
use crate::database::{Database, Stage};
use crate::server::TestServer;

crate::tests![
    what_is_used_is_counted_and_what_it_saved_is_summed_up,
    batches_of_hits_do_not_wait_for_each_other_in_turn,
];

fn what_is_used_is_counted_and_what_it_saved_is_summed_up(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    with(&database, async |answers, pool| {
        let namespace = named(&answers, "t").await;
        let new = New { prompt_tokens: 100, response_tokens: 20, cost_usd: 0.000_25, ..New::of("m", "r") };
        for (text, degrees, model) in [("a", 0.0, "m"), ("b", 90.0, "m"), ("c", 180.0, "free")] {
            answers.store(namespace.as_ref(), &prompt(text, degrees), &New { model, ..new.clone() }).await.unwrap();
        }
        for text in ["a", "a", "b", "a", "nobody"] {
            answers.find(namespace.as_ref(), &Prompt::new(text), 0.05).await.unwrap();
        }
        let counted = "SELECT sum(hit_count)::text FROM llm_semantic_cache";
        assert_eq!(column(pool, counted).await, ["0"], "finding writes nothing");
        // Together with a clone's; and what cannot be written is kept.
        execute(pool, "ALTER TABLE llm_semantic_cache RENAME TO away").await;
        answers.clone().note_hits().await.unwrap_err();
        execute(pool, "ALTER TABLE away RENAME TO llm_semantic_cache").await;
        answers.note_hits().await.unwrap();
        answers.note_hits().await.unwrap();
        let hits =
            "SELECT concat_ws(' ', prompt, hit_count, last_hit_at IS NOT NULL) FROM llm_semantic_cache ORDER BY prompt";
        assert_eq!(column(pool, hits).await, ["a 3 t", "b 1 t", "c 0 f"]);
        let saved = saved(pool).await.unwrap();
        let said: Vec<String> = saved
            .iter()
            .map(|it| format!("{} {} {} {} {:.5}", it.model, it.answers, it.hits, it.tokens, it.cost_usd))
            .collect();
        assert_eq!(said, ["m 2 4 480 0.00100", "free 1 0 0 0.00000"]);
    });
    migrations(&database.url_text(), &["answers"])
        .succeeds()
        .prints("m: 2 answers, found again 4 times, which saved 480 tokens and 0.00 USD")
        .prints("3 answers, found again 4 times");
    // Twice in one batch, and one that is gone.
    let ids = "(SELECT array_agg(id) || array_agg(id) || ARRAY[0::bigint] FROM llm_semantic_cache WHERE prompt = 'c')";
    assert_eq!(database.text(&format!("SELECT db_service.count_answer_hits({ids}, ARRAY[2, 3, 9])::text")), "1");
    assert_eq!(database.text("SELECT hit_count::text FROM llm_semantic_cache WHERE prompt = 'c'"), "5");
    Passed
}

fn batches_of_hits_do_not_wait_for_each_other_in_turn(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    fill(&database, 30, 10);
    let noting = |order: &'static str| {
        let database = &database;
        move || {
            database.with(async |connection| {
                for _ in 0..50 {
                    let note = format!(
                        "SELECT db_service.count_answer_hits(array_agg(id ORDER BY id {order}), array_agg(1::bigint)) FROM llm_semantic_cache"
                    );
                    sqlx::raw_sql(AssertSqlSafe(note)).execute(&mut *connection).await.unwrap();
                }
            });
        }
    };
    std::thread::scope(|scope| {
        for order in ["ASC", "DESC", "ASC", "DESC"] {
            scope.spawn(noting(order));
        }
    });
    assert_eq!(database.column("SELECT DISTINCT hit_count::text FROM llm_semantic_cache"), ["200"]);
    Passed
}
