//! `db_service::dedup::KnownContents`: answers are exact with a filter and without, and what is committed is never denied.

use std::collections::HashSet;
use std::time::Duration;

use db_service::dedup::{ContentHash, Error, KnownContents, Tally};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool};

use crate::Verdict::{self, Passed, Skipped};
use crate::command::{block_on, migrations};
use crate::database::{Database, Stage};
use crate::result_cache::pool;
use crate::role::Role;
use crate::server::TestServer;

crate::tests![
    an_answer_is_exact_with_a_filter_and_without,
    every_way_of_writing_is_noted_and_nothing_else,
    what_is_committed_late_is_not_missed,
    what_is_prepared_is_not_missed,
    writers_of_one_content_do_not_wait_for_each_other,
    many_who_ask_at_once_look_together,
    a_role_without_rights_in_the_layer_can_write_and_ask,
];

pub(crate) const INSERT: &str =
    "INSERT INTO code_files (repo_name, file_path, content, content_hash, size_bytes) VALUES";

/// A row with a content of its own.
pub(crate) fn row(repository: &str, path: &str, content: &str) -> String {
    format!("('{repository}', '{path}', '', sha256('{content}'), 0)")
}

/// With a filter, which knows of nothing.
pub(crate) fn kept(server: &TestServer) -> Database<'_> {
    let database = Database::at(server, Stage::All);
    migrations(&database.url_text(), &["filters", "--on"])
        .succeeds()
        .says("Set triggers `code_files` 2 for contents, 4 for versions, on the table and 16 below it")
        .says("Created filter `code_files` 0 contents in 123 kB");
    database
}

pub(crate) fn asking(pool: &PgPool) -> KnownContents {
    KnownContents::new(pool.clone(), Duration::ZERO)
}

/// Which of these contents are known, in their order.
pub(crate) async fn known<'a>(contents: &KnownContents, asked: &[&'a str]) -> Vec<&'a str> {
    let known = contents.known(asked.iter().map(ContentHash::of)).await.unwrap();
    asked.iter().copied().filter(|content| known.contains(&ContentHash::of(content))).collect()
}

pub(crate) async fn denies(contents: &KnownContents, content: &str) -> bool {
    !contents.view().await.unwrap().may_hold(&ContentHash::of(content))
}

pub(crate) async fn run(connection: &mut PgConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(connection).await.unwrap();
}

fn an_answer_is_exact_with_a_filter_and_without(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    database.execute(&format!("{INSERT} {}, {}", row("a", "1", "x"), row("b", "1", "y")));
    let url = database.url_text();
    block_on(async {
        let pool = pool(&database);
        let contents = asking(&pool);
        assert_eq!(known(&contents, &["x", "z", "y", "x"]).await, ["x", "y", "x"]);
        assert!(contents.known([]).await.unwrap().is_empty());
        assert!(matches!(contents.view().await, Err(Error::Off)));
        assert_eq!(contents.tally(), Tally { known: 2, without_filter: 1, ..Tally::default() });
        tokio::task::spawn_blocking(move || migrations(&url, &["filters", "--on"]).succeeds().says("2 contents"))
            .await
            .unwrap();
        assert_eq!(known(&contents, &["x", "z", "y", "w"]).await, ["x", "y"]);
        sqlx::raw_sql(AssertSqlSafe(format!("{INSERT} {}", row("c", "1", "z")))).execute(&pool).await.unwrap();
        assert_eq!(known(&contents, &["z", "w"]).await, ["z"]);
        // The filter has what is gone.
        sqlx::raw_sql("DELETE FROM code_files WHERE repo_name = 'c'").execute(&pool).await.unwrap();
        assert_eq!(known(&contents, &["z", "w"]).await, [""; 0]);
        let tally = contents.tally();
        assert_eq!(tally, Tally { known: 5, without_filter: 1, spared: 4, in_vain: 1 });
        pool.close().await;
    });
    Passed
}

fn every_way_of_writing_is_noted_and_nothing_else(server: &TestServer) -> Verdict {
    let database = kept(server);
    let in_log = "SELECT COALESCE(sum(octet_length(keys)) / 8, 0)::text FROM db_service.content_key_log";
    let leaf = |repository: &str| {
        database.text(&format!("SELECT tableoid::regclass::text FROM code_files WHERE repo_name = '{repository}'"))
    };
    let mut before = 0;
    let mut notes = |statement: &str, keys: u64| {
        database.execute(statement);
        let after: u64 = database.text(in_log).parse().unwrap();
        assert_eq!(after - before, keys, "{statement}");
        before = after;
    };
    notes(&format!("{INSERT} {}, {}", row("a", "1", "a1"), row("b", "1", "a1")), 2);
    notes("UPDATE code_files SET language = 'x'", 0);
    notes("UPDATE code_files SET repo_name = 'c' WHERE repo_name = 'b'", 0);
    notes("UPDATE code_files SET content_hash = sha256('a2') WHERE repo_name = 'a'", 1);
    notes(&format!("{INSERT} {} ON CONFLICT DO NOTHING", row("a", "1", "a3")), 0);
    notes(
        &format!(
            "{INSERT} {} ON CONFLICT (repo_name, file_path) DO UPDATE SET content_hash = excluded.content_hash",
            row("a", "1", "a3")
        ),
        1,
    );
    notes(
        "MERGE INTO code_files f USING (VALUES ('a', '1'), ('a', '7')) s (r, p) ON f.repo_name = s.r AND f.file_path = s.p
         WHEN MATCHED THEN UPDATE SET content_hash = sha256('a4')
         WHEN NOT MATCHED THEN INSERT (repo_name, file_path, content, content_hash, size_bytes) VALUES (r, p, '', sha256('a5'), 0)",
        2,
    );
    notes(&format!("UPDATE {} SET content_hash = sha256('a6') WHERE file_path = '7'", leaf("a")), 1);
    notes(&(INSERT.replace("code_files", &leaf("a")) + &row("a", "8", "a7")), 1);
    notes(&format!("SET session_replication_role = replica; {INSERT} {}", row("a", "9", "a8")), 1);
    notes(&format!("BEGIN; {INSERT} {}; ROLLBACK", row("a", "10", "a9")), 0);
    // More than one value has room for.
    notes(
        "INSERT INTO code_files (repo_name, file_path, content, content_hash, size_bytes)
         SELECT 'many', g::text, '', sha256(g::text::bytea), 0 FROM generate_series(1, 70000) g",
        70_000,
    );
    notes("DELETE FROM code_files WHERE repo_name = 'many'; TRUNCATE code_files", 0);
    block_on(async {
        let pool = pool(&database);
        let contents = asking(&pool);
        for content in ["a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8", "1", "70000"] {
            assert!(!denies(&contents, content).await, "{content}");
        }
        assert!(denies(&contents, "a9").await);
        pool.close().await;
    });
    Passed
}

/// A transaction writes first and commits last; meanwhile others write, filters look, and the filter is built anew.
fn what_is_committed_late_is_not_missed(server: &TestServer) -> Verdict {
    let database = kept(server);
    let url = database.url_text();
    block_on(async {
        let pool = pool(&database);
        let [one, other] = [0, 1].map(|_| asking(&pool));
        let mut early = ::database::connection::connect(&database.url).await.unwrap();
        let mut late = ::database::connection::connect(&database.url).await.unwrap();
        for (round, level) in ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"].into_iter().enumerate() {
            let content = |name: &str| format!("{name}{round}");
            let insert = |name: &str| format!("{INSERT} {}", row(&content(name), "1", &content(name)));
            run(
                &mut early,
                &format!("BEGIN ISOLATION LEVEL {level}; SAVEPOINT a; {}; ROLLBACK TO a", insert("undone")),
            )
            .await;
            run(&mut early, &format!("SAVEPOINT b; {}; RELEASE b", insert("early"))).await;
            run(&mut late, &insert("between")).await;
            assert!(!denies(&one, &content("between")).await && denies(&one, &content("early")).await);
            run(&mut late, &insert("after")).await;
            assert!(!denies(&one, &content("after")).await && !denies(&other, &content("between")).await);
            let url = url.clone();
            if round > 0 {
                let build = move || migrations(&url, &["filters", "--rebuild"]).succeeds();
                tokio::task::spawn_blocking(build).await.unwrap();
                assert!(denies(&one, &content("early")).await, "what is built has what is committed");
            }
            // One has looked since the build, the other one has not.
            run(&mut early, "COMMIT").await;
            for contents in [&one, &other, &asking(&pool)] {
                for name in ["early", "between", "after"] {
                    assert!(!denies(contents, &content(name)).await, "{name} at {level}");
                }
                assert!(denies(contents, &content("undone")).await);
            }
        }
        for connection in [early, late] {
            connection.close().await.unwrap();
        }
        pool.close().await;
    });
    Passed
}

fn what_is_prepared_is_not_missed(server: &TestServer) -> Verdict {
    let database = kept(server);
    if database.truth("SELECT current_setting('max_prepared_transactions') = '0'") {
        return Skipped("this server prepares no transactions".to_owned());
    }
    let name = &database.name;
    database.execute(&format!("BEGIN; {INSERT} {}; PREPARE TRANSACTION '{name}'", row("a", "1", "prepared")));
    block_on(async {
        let pool = pool(&database);
        let contents = asking(&pool);
        assert!(denies(&contents, "prepared").await);
        run(&mut pool.acquire().await.unwrap(), &format!("{INSERT} {}", row("b", "1", "after"))).await;
        assert!(denies(&contents, "prepared").await && !denies(&contents, "after").await);
        run(&mut pool.acquire().await.unwrap(), &format!("COMMIT PREPARED '{name}'")).await;
        assert!(!denies(&contents, "prepared").await && !denies(&asking(&pool), "prepared").await);
        pool.close().await;
    });
    Passed
}

fn writers_of_one_content_do_not_wait_for_each_other(server: &TestServer) -> Verdict {
    let database = kept(server);
    database.with(async |one| {
        let mut two = ::database::connection::connect(&database.url).await.unwrap();
        run(&mut two, "SET lock_timeout = '5s'").await;
        run(one, &format!("BEGIN; {INSERT} {}", row("a", "1", "x"))).await;
        run(&mut two, &format!("{INSERT} {}", row("a", "2", "x"))).await;
        run(&mut two, "UPDATE code_files SET content_hash = sha256('y') WHERE file_path = '2'").await;
        run(one, "COMMIT").await;
    });
    Passed
}

fn many_who_ask_at_once_look_together(server: &TestServer) -> Verdict {
    let database = kept(server);
    block_on(async {
        let pool = pool(&database);
        let contents = asking(&pool);
        let asked = futures_util::future::join_all((0..100).map(|_| contents.view())).await;
        assert!(asked.iter().all(Result::is_ok));
        // What is known for a while is not asked for.
        let patient = KnownContents::new(pool.clone(), Duration::from_hours(1));
        assert!(denies(&patient, "x").await);
        run(&mut pool.acquire().await.unwrap(), &format!("{INSERT} {}", row("a", "1", "x"))).await;
        assert!(denies(&patient, "x").await && !denies(&contents, "x").await);
        pool.close().await;
    });
    Passed
}

fn a_role_without_rights_in_the_layer_can_write_and_ask(server: &TestServer) -> Verdict {
    let role = Role::new(server);
    let database = kept(server);
    let name = &role.name;
    database.execute(&format!(
        "GRANT SELECT, INSERT, UPDATE, TRUNCATE ON code_files TO {name}; GRANT USAGE ON SEQUENCE code_files_id_seq TO {name}"
    ));
    let its = Database::with_url(server, &database.name, &role.url(&database));
    its.execute(&format!("{INSERT} {}; UPDATE code_files SET content_hash = sha256('y')", row("a", "1", "x")));
    assert!(its.error("SELECT db_service.forget_content_filter()").contains("permission denied"));
    database.execute(&format!("GRANT USAGE ON SCHEMA db_service TO {name}"));
    let asks = || {
        block_on(async {
            let pool = pool(&its);
            let contents = asking(&pool);
            assert_eq!(known(&contents, &["x", "y", "z"]).await, ["y"]);
            let view = contents.view().await.map(drop);
            pool.close().await;
            view
        })
    };
    // Exact, but without the filter.
    assert!(matches!(asks(), Err(Error::Failed(_))));
    assert!(its.error("SELECT db_service.keep_content_filter(false)").contains("permission denied for function"));
    database.execute(&format!(
        "GRANT SELECT ON db_service.content_filter, db_service.content_filter_chunk, db_service.content_key_log, db_service.kept_trigger TO {name}"
    ));
    assert!(asks().is_ok());
    // A role that sees none of the rows is told of none.
    database.execute("ALTER TABLE code_files ENABLE ROW LEVEL SECURITY");
    let seen: HashSet<String> =
        its.column("SELECT content_hash::text FROM db_service.known_content(ARRAY[sha256('y')])").into_iter().collect();
    assert!(seen.is_empty());
    database.execute(&format!("ALTER TABLE code_files DISABLE ROW LEVEL SECURITY; DROP OWNED BY {name}"));
    Passed
}
