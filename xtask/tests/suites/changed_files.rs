//! What of a repository has changed, by the function and by the library; and which contents are known.

use db_service::dedup::{Changes, ContentHash, Kept, Repository};

use crate::Verdict::{self, Passed};
use crate::command::block_on;
use crate::database::{Database, Stage};
use crate::elixir::statements_are_understood;
use crate::known_contents::{INSERT, row};
use crate::random::Random;
use crate::result_cache::pool;
use crate::result_cache_model::below;
use crate::server::TestServer;

crate::tests![
    the_function_and_the_library_have_one_plan,
    a_vector_of_another_model_counts_as_changed,
    what_means_nothing_is_refused,
    known_contents_are_found_by_one_scan_of_each_leaf,
    what_the_elixir_module_asks_of_contents_is_there,
];

async fn read(pool: &sqlx::PgPool, kept: Kept<'_>) -> Repository {
    Repository::read(pool, "r", kept).await.unwrap()
}

fn the_function_and_the_library_have_one_plan(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    let mut random = Random::new(7);
    block_on(async {
        let pool = pool(&database);
        for round in 0..30 {
            let mut files = |most: u64| -> Vec<(String, String)> {
                let there = (0..most).filter(|_| below(&mut random, 3) > 0).collect::<Vec<_>>();
                there.into_iter().map(|path| (format!("p{path}"), below(&mut random, 3).to_string())).collect()
            };
            let (stored, given) = (files(20), files(24));
            let others = (0..3).map(|path| row("other", &format!("p{path}"), "1"));
            let rows: Vec<String> =
                stored.iter().map(|(path, content)| row("r", path, content)).chain(others).collect();
            let write = format!("TRUNCATE code_files; {INSERT} {}", rows.join(", "));
            sqlx::raw_sql(sqlx::AssertSqlSafe(write)).execute(&pool).await.unwrap();
            let repository = read(&pool, Kept::Files).await;
            assert_eq!(repository.len(), stored.len());
            let given: Vec<(&str, ContentHash)> =
                given.iter().map(|(path, content)| (path.as_str(), ContentHash::of(content))).collect();
            let Changes { new, changed, gone, .. } = repository.compare(given.iter().copied());
            let mut ours: Vec<(String, String)> = Vec::new();
            for (paths, change) in [(new, "new"), (changed, "changed")] {
                ours.extend(paths.iter().map(|path| ((*path).to_owned(), change.to_owned())));
            }
            ours.extend(gone.into_iter().map(|path| (path, "gone".to_owned())));
            ours.sort();
            let (paths, hashes): (Vec<&str>, Vec<Vec<u8>>) =
                given.iter().map(|(path, hash)| (*path, hash.as_bytes().to_vec())).unzip();
            let query = sqlx::query_as("SELECT file_path, change FROM db_service.changed_files('r', $1, $2)");
            let mut theirs: Vec<(String, String)> = query.bind(paths).bind(hashes).fetch_all(&pool).await.unwrap();
            theirs.sort();
            assert_eq!(ours, theirs, "round {round}");
        }
        pool.close().await;
    });
    Passed
}

fn a_vector_of_another_model_counts_as_changed(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    database.execute(
        "INSERT INTO embeddings (repo_name, path, model, content_hash, embedding)
         SELECT 'r', path, model, sha256('x'), array_fill(0.5, ARRAY[768])::public.vector FROM (VALUES ('a', 'm'), ('b', 'n')) v (path, model)",
    );
    block_on(async {
        let pool = pool(&database);
        let repository = read(&pool, Kept::Vectors { model: "m" }).await;
        assert_eq!((repository.hash("a"), repository.hash("b")), (Some(ContentHash::of("x")), None));
        let changes = repository.compare(["a", "b", "c"].map(|path| (path, ContentHash::of("x"))));
        assert_eq!((changes.unchanged, changes.changed, changes.new), (1, vec!["b"], vec!["c"]));
        pool.close().await;
    });
    Passed
}

fn what_means_nothing_is_refused(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    for (call, said) in [
        ("known_content(ARRAY[sha256('x'), 'ab'])", "a hash of a content has 32 bytes, and one of 2 was given"),
        (
            "known_content(ARRAY[encode(sha256('x'), 'hex')::bytea])",
            "a hash of a content has 32 bytes, and one of 64 was given",
        ),
        (
            "changed_files('r', '{a,b}', ARRAY[sha256('x')])",
            "each path has one hash, and 2 paths and 1 hashes were given",
        ),
        ("changed_files('r', NULL, NULL)", "each path has one hash, and 0 paths and 0 hashes were given"),
        ("changed_files('r', '{a,NULL}', ARRAY[sha256('x'), sha256('x')])", "each path has a hash of 32 bytes"),
        ("changed_files('r', '{a}', ARRAY[NULL]::bytea[])", "each path has a hash of 32 bytes"),
        ("changed_files('r', '{a}', ARRAY['x'::bytea])", "each path has a hash of 32 bytes"),
        ("changed_files('r', '{a,a}', ARRAY[sha256('x'), sha256('y')])", "path \"a\" was given more than once"),
    ] {
        let error = database.error(&format!("SELECT * FROM db_service.{call}"));
        assert!(error.contains(said), "{call}: {error}");
    }
    let known = |call: &str| {
        database.column(&format!("SELECT encode(content_hash, 'hex') FROM db_service.known_content({call})"))
    };
    for nothing in ["'{}'", "NULL", "ARRAY[NULL]::bytea[]", "ARRAY[sha256('x')]"] {
        assert_eq!(known(nothing), [""; 0], "{nothing}");
    }
    database.execute(&format!("{INSERT} {}, {}", row("a", "1", "x"), row("b", "1", "x")));
    assert_eq!(known("ARRAY[sha256('x'), NULL, sha256('x')]").len(), 1, "each once");
    assert_eq!(known("ARRAY[ARRAY[sha256('x')], ARRAY[sha256('y')]]").len(), 1, "however they are nested");
    Passed
}

/// Whatever the database's own settings are.
fn known_contents_are_found_by_one_scan_of_each_leaf(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    database.execute(
        "INSERT INTO code_files (repo_name, file_path, content, content_hash, size_bytes)
         SELECT 'r' || g % 50, g::text, '', sha256(g::text::bytea), 0 FROM generate_series(1, 5000) g; ANALYZE code_files",
    );
    let database_name = &database.name;
    database.execute(&format!("ALTER DATABASE {database_name} SET enable_indexscan = off; ALTER DATABASE {database_name} SET enable_indexonlyscan = off"));
    // Whoever reads a row by itself, and not by an index, is counted.
    let scanned = "SELECT COALESCE(sum(seq_tup_read), 0)::text FROM pg_stat_user_tables WHERE relname = 'code_files'";
    database.execute("SELECT pg_stat_force_next_flush()");
    let before = database.text(scanned);
    let hashes = "SELECT array_agg(sha256(g::text::bytea)) FROM generate_series(4001, 6000) g";
    let found = database.text(&format!(
        "SELECT count(*)::text FROM db_service.known_content(({hashes})), (SELECT pg_stat_force_next_flush()) f"
    ));
    assert_eq!(found, "1000");
    assert_eq!(database.text(scanned), before);
    Passed
}

fn what_the_elixir_module_asks_of_contents_is_there(server: &TestServer) -> Verdict {
    statements_are_understood(server, "deduplication.ex", 2);
    Passed
}
