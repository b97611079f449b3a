//! `db_service::answers` and its functions: the same prompt is found, else the nearest that is near enough; never across
//! namespaces, never about what has changed, and nothing that has expired.

use db_service::answers::{Answer, Answers, Error, Namespace, New, Prompt};
use db_service::search::Scope;
use sqlx::{AssertSqlSafe, PgPool};

use crate::Verdict::{self, Passed};
use crate::command::block_on;
use crate::database::{Database, Stage};
use crate::elixir::statements_are_understood;
use crate::result_cache::pool;
use crate::role::Role;
use crate::server::TestServer;
use crate::versions::{INSERT, row};

crate::tests![
    the_same_prompt_is_found_else_the_nearest_within_the_distance,
    an_answer_about_what_has_changed_is_not_found,
    nothing_is_found_across_namespaces_or_after_its_time,
    many_answers_are_searched_by_the_index_and_few_are_all_compared,
    what_means_nothing_is_refused,
    what_the_elixir_module_asks_of_answers_is_there,
];

/// In a plane, so many degrees from the first axis.
fn at(degrees: f32) -> Vec<f32> {
    let mut vector = vec![0.0; 768];
    (vector[0], vector[1]) = (degrees.to_radians().cos(), degrees.to_radians().sin());
    vector
}

pub(crate) fn prompt(text: &str, degrees: f32) -> Prompt {
    Prompt::new(text).meaning(at(degrees))
}

pub(crate) async fn execute(pool: &PgPool, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(pool).await.unwrap();
}

pub(crate) async fn column(pool: &PgPool, sql: &str) -> Vec<String> {
    sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_all(pool).await.unwrap()
}

/// Works with the answers of a database.
pub(crate) fn with<T>(database: &Database<'_>, work: impl AsyncFnOnce(Answers, &PgPool) -> T) -> T {
    block_on(async {
        let pool = pool(database);
        let worked = work(Answers::new(pool.clone()), &pool).await;
        pool.close().await;
        worked
    })
}

pub(crate) async fn named(answers: &Answers, template: &str) -> Option<Namespace> {
    let namespace = answers.namespace("m", template, &Scope::Repositories(Vec::new())).await.unwrap();
    assert!(namespace.is_some());
    namespace
}

fn found(answer: Option<Answer>) -> String {
    answer.map_or_else(|| "none".into(), |it| format!("{} {} {:.3}", it.response, it.way, it.distance))
}

fn the_same_prompt_is_found_else_the_nearest_within_the_distance(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    with(&database, async |answers, _| {
        let namespace = named(&answers, "t").await;
        let namespace = namespace.as_ref();
        let find = async |prompt: Prompt, within| found(answers.find(namespace, &prompt, within).await.unwrap());
        for (text, degrees, response) in [("caf\u{e9}\n{x}", 0.0, "one"), ("far", 40.0, "two"), ("near", 10.0, "three")]
        {
            let id = answers.store(namespace, &prompt(text, degrees), &New::of("m", response)).await.unwrap();
            assert!(id.is_some());
        }
        // The same, composed and ended otherwise; what is within lines counts.
        assert_eq!(find(Prompt::new(" cafe\u{301}\r\n{x}\n"), 0.05).await, "one exact 0.000");
        assert_eq!(find(Prompt::new("caf\u{e9}\n {x}"), 0.05).await, "none");
        // Also where another one is nearer in meaning.
        assert_eq!(find(prompt("far", 10.0), 0.05).await, "two exact 0.000");
        assert_eq!(find(prompt("else", 7.0), 0.05).await, "three near 0.001");
        assert_eq!(find(prompt("else", 27.0), 0.05).await, "two near 0.026");
        assert_eq!(find(prompt("else", 27.0), 0.02).await, "none");
        assert_eq!(find(prompt("else", 90.0), 0.05).await, "none");
        // A second answer takes the place of the first.
        answers.store(namespace, &prompt("far\r\n", 40.0), &New::of("m", "four")).await.unwrap();
        assert_eq!(find(Prompt::new("far"), 0.05).await, "four exact 0.000");
        assert_eq!(answers.find(None, &Prompt::new("far"), 0.05).await.unwrap(), None);
    });
    assert_eq!(database.text("SELECT count(*)::text FROM llm_semantic_cache"), "3");
    Passed
}

fn an_answer_about_what_has_changed_is_not_found(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    with(&database, async |answers, pool| {
        let change = async |repository, path| execute(pool, &format!("{INSERT} {}", row(repository, path))).await;
        let both = Scope::Repositories(vec!["b".into(), "a".into()]);
        let asked = prompt("what is it?", 0.0);
        let read = async |scope: &Scope| answers.namespace("m", "t", scope).await.unwrap();
        let before = read(&both).await;
        assert_eq!(read(&Scope::Repositories(vec!["a".into(), "b".into(), "a".into()])).await, before);
        // It changes while the answer is computed: what is stored is of before.
        change("a", "1").await;
        answers.store(before.as_ref(), &asked, &New::of("m", "old")).await.unwrap();
        let after = read(&both).await;
        assert_ne!(after, before);
        assert_eq!(answers.find(after.as_ref(), &asked, 2.0).await.unwrap(), None);
        // Of what is not read, nothing matters.
        change("c", "1").await;
        assert_eq!(read(&both).await, after);
        let (one, all) = (read(&Scope::Repository("c".into())).await, read(&Scope::Everywhere).await);
        change("c", "2").await;
        assert_ne!(read(&Scope::Repository("c".into())).await, one);
        assert_ne!(read(&Scope::Everywhere).await, all);
    });
    // Where versions are not kept, nothing is.
    let declared = Database::at(server, Stage::Declared);
    with(&declared, async |answers, _| {
        for scope in [Scope::Repository("a".into()), Scope::Everywhere] {
            assert_eq!(answers.namespace("m", "t", &scope).await.unwrap(), None, "{scope:?}");
        }
        assert_eq!(answers.store(None, &prompt("p", 0.0), &New::of("m", "r")).await.unwrap(), None);
        named(&answers, "no repository").await;
    });
    Passed
}

fn nothing_is_found_across_namespaces_or_after_its_time(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    let role = Role::new(server);
    database.execute(&format!(
        "GRANT USAGE ON SCHEMA db_service TO {0}; GRANT SELECT ON llm_semantic_cache TO {0}",
        role.name
    ));
    let asked = prompt("p", 0.0);
    let find =
        async |answers: &Answers, namespace: &Namespace| answers.find(Some(namespace), &asked, 2.0).await.unwrap();
    let namespace = with(&database, async |answers, _| {
        let namespace = named(&answers, "t").await.unwrap();
        let new = New { lifetime: Some(std::time::Duration::from_hours(1)), ..New::of("m", "r") };
        answers.store(Some(&namespace), &asked, &new).await.unwrap();
        assert!(find(&answers, &namespace).await.is_some());
        for (model, template) in [("m", "u"), ("n", "t"), ("mt", "")] {
            let other = answers.namespace(model, template, &Scope::Repositories(Vec::new())).await.unwrap().unwrap();
            assert_eq!(find(&answers, &other).await, None, "{other:?}");
        }
        namespace
    });
    // Rows may be hidden from another role, so that it has namespaces of its own.
    with(&Database::with_url(server, &database.name, &role.url(&database)), async |answers, _| {
        assert_ne!(named(&answers, "t").await.unwrap(), namespace);
    });
    database.execute("UPDATE llm_semantic_cache SET expires_at = now() - interval '1 s'");
    with(&database, async |answers, _| {
        assert_eq!(find(&answers, &namespace).await, None);
        assert_eq!(answers.find(Some(&namespace), &prompt("q", 0.0), 2.0).await.unwrap(), None);
        let ever = New { lifetime: None, ..New::of("m", "r") };
        answers.store(Some(&namespace), &asked, &ever).await.unwrap();
        assert!(find(&answers, &namespace).await.is_some());
    });
    database.execute(&format!("DROP OWNED BY {}", role.name));
    Passed
}

/// So many answers in one namespace, of so many meanings.
pub(crate) fn fill(database: &Database<'_>, answers: u32, meanings: u32) {
    database.execute(&format!(
        "DROP INDEX llm_semantic_cache_prompt_embedding_index;
         INSERT INTO llm_semantic_cache (namespace, model, prompt, prompt_hash, prompt_embedding, response)
         SELECT 'n', 'm', g::text, sha256(g::text::bytea), v.vector, (g % {meanings})::text
         FROM generate_series(1, {answers}) g
         JOIN (SELECT m, (SELECT array_agg(sin(m * i + i)) FROM generate_series(1, 768) i)::public.vector AS vector
               FROM generate_series(0, {meanings} - 1) m) v ON v.m = g % {meanings};
         CREATE INDEX llm_semantic_cache_prompt_embedding_index ON llm_semantic_cache
         USING hnsw (prompt_embedding public.vector_cosine_ops) WITH (m = '16', ef_construction = '64')"
    ));
}

fn many_answers_are_searched_by_the_index_and_few_are_all_compared(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    // An index loses its way among many equal vectors.
    fill(&database, 10_001, 2000);
    // Of another namespace, and nearer than all.
    database.execute(
        "INSERT INTO llm_semantic_cache (namespace, model, prompt, prompt_hash, prompt_embedding, response)
         SELECT 'o', model, prompt, prompt_hash, prompt_embedding, 'other' FROM llm_semantic_cache WHERE prompt = '7'",
    );
    let scans = "SELECT COALESCE(sum(idx_scan), 0)::bigint::text FROM pg_stat_user_indexes
                 WHERE indexrelname = 'llm_semantic_cache_prompt_embedding_index'";
    let ask = "SELECT concat_ws(' ', response, way, round(distance::numeric, 3)) FROM (SELECT pg_stat_force_next_flush()) f,
               db_service.find_answer('n', 'new', (SELECT prompt_embedding FROM llm_semantic_cache WHERE prompt = '7' AND namespace = 'n'))";
    let asked = || {
        let count = || database.text(scans).parse::<i64>().unwrap();
        let before = count();
        let answer = database.text(ask);
        (answer, count() - before)
    };
    for setting in ["enable_indexscan = off", "random_page_cost = 1000", "plan_cache_mode = force_custom_plan"] {
        database.execute(&format!("ALTER DATABASE {} SET {setting}", database.name));
    }
    assert_eq!(asked(), ("7 near 0.000".into(), 1));
    database.execute("DELETE FROM llm_semantic_cache WHERE prompt = '8'");
    assert_eq!(asked(), ("7 near 0.000".into(), 0));
    // What the function sets for itself, nobody else notices.
    database.execute(&format!(
        "SET enable_sort = off; {ask};
         DO $$ BEGIN ASSERT current_setting('enable_sort') = 'off' AND current_setting('enable_seqscan') = 'on'; END $$"
    ));
    Passed
}

fn what_means_nothing_is_refused(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    let refused = |result: Result<(), Error>| match result {
        Err(Error::Refused { what, .. }) => what,
        other => panic!("{other:?}"),
    };
    with(&database, async |answers, _| {
        let namespace = named(&answers, "t").await;
        let namespace = namespace.as_ref();
        let find = async |prompt: &Prompt, within| refused(answers.find(namespace, prompt, within).await.map(drop));
        let zeros = Prompt::new("p").meaning(vec![0.0; 768]);
        assert_eq!(find(&zeros, 0.1).await, "a vector of zeros is equally far from everything");
        for within in [-0.1, 2.1, f64::NAN] {
            let said = find(&prompt("p", 0.0), within).await;
            assert!(said.starts_with("a prompt is looked for within a cosine distance from 0 to 2"), "{said}");
        }
        let new = New::of("m", "r");
        let store = async |prompt: &Prompt| refused(answers.store(namespace, prompt, &new).await.map(drop));
        assert_eq!(store(&zeros).await, "a vector of zeros is equally far from everything");
        assert_eq!(store(&Prompt::new("p")).await, "a prompt is stored together with its vector");
        assert!(store(&Prompt::new("p").meaning(vec![1.0; 3])).await.contains("768"));
        assert!(store(&Prompt::new("p").meaning(vec![f32::NAN; 768])).await.contains("NaN"));
    });
    for call in ["answer_namespace(NULL, 't')", "answer_namespace('m', 't', '{a,NULL}')", "find_answer('n', NULL)"] {
        let said = database.error(&format!("SELECT db_service.{call}"));
        assert!(said.contains("null"), "{call}: {said}");
    }
    let ecto = Database::at(server, Stage::Ecto);
    with(&ecto, async |answers, _| {
        let error = answers.namespace("m", "t", &Scope::Everywhere).await.unwrap_err();
        assert!(matches!(error, Error::NotInstalled(_)), "{error:?}");
    });
    Passed
}

fn what_the_elixir_module_asks_of_answers_is_there(server: &TestServer) -> Verdict {
    statements_are_understood(server, "answers.ex", 4);
    Passed
}
