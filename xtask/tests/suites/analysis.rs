//! `migrations analyze`, and the library beneath it: all rows of one moment, over several connections.

use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};

use db_service::analysis::{Among, Analysis};
use serde_json::Value;
use sqlx::Connection as _;
use terminal::activity::Unwatched;

use crate::Verdict::{self, Passed};
use crate::command::{block_on, migrations, migrations_command, signal};
use crate::database::{Database, Stage};
use crate::oracle::{filled, nearest, vector};
use crate::role::Role;
use crate::server::TestServer;

crate::tests![
    sizes_are_those_of_all_leaves,
    files_with_one_content_are_found_across_leaves,
    pairs_are_those_of_comparing_everything,
    the_true_nearest_are_found,
    each_role_is_told_of_what_it_may_read,
    all_connections_see_the_same_moment,
    who_stops_waiting_leaves_no_statement_behind,
];

/// The facts of all steps.
fn facts(url: &str, arguments: &[&str]) -> Vec<Value> {
    let analyze = [&["analyze", "--json", "--limit", "100000"], arguments].concat();
    let steps = migrations(url, &analyze).succeeds().json()["steps"].take();
    steps.as_array().unwrap().iter().map(|step| step["facts"].clone()).collect()
}

/// Files of a few contents and sizes, in as many leaves as there are.
fn with_files(server: &TestServer) -> Database<'_> {
    let database = Database::at(server, Stage::All);
    database.execute(
        "INSERT INTO code_files (repo_name, file_path, language, content, content_hash, size_bytes)
         SELECT 'repo' || g % 37, 'file' || g, CASE g % 3 WHEN 0 THEN 'rust' WHEN 1 THEN 'elixir' END, repeat('x', g % 300),
                sha256((g % 700)::text::bytea), g % 700
         FROM generate_series(1, 1000) g",
    );
    database
}

fn sizes_are_those_of_all_leaves(server: &TestServer) -> Verdict {
    let database = with_files(server);
    let url = database.url_text();
    let wanted = || {
        let mut wanted = database.column(
            "SELECT concat_ws(' ', repo_name, COALESCE(language, '-'), count(*), sum(size_bytes)) FROM code_files
             GROUP BY repo_name, language",
        );
        wanted.sort();
        wanted
    };
    let told = |arguments: &[&str]| {
        let line = |it: &Value| {
            let (repository, language) = (it["repository"].as_str().unwrap(), it["language"].as_str().unwrap_or("-"));
            format!("{repository} {language} {} {}", it["files"], it["bytes"])
        };
        let mut told: Vec<String> = facts(&url, arguments).iter().map(line).collect();
        told.sort();
        told
    };
    for connections in ["1", "3", "16"] {
        assert_eq!(told(&["sizes", "--connections", connections]), wanted());
    }
    migrations(&url, &["analyze", "sizes", "--limit", "5"]).succeeds().prints("1000 files").prints("106 are not shown");
    migrations(&url, &["revert", "--yes"]).succeeds();
    assert_eq!(told(&["sizes"]), wanted());
    database.execute("TRUNCATE code_files");
    migrations(&url, &["analyze", "sizes"]).succeeds().prints("0 files");
    migrations(&url, &["analyze", "sizes", "--connections", "17"]).exits(2);
    let without = Database::empty(server);
    migrations(&without.url_text(), &["analyze", "sizes"]).exits(1).says("code_files");
    Passed
}

fn files_with_one_content_are_found_across_leaves(server: &TestServer) -> Verdict {
    let database = with_files(server);
    let url = database.url_text();
    // As many as there are of an empty file.
    database.execute(
        "INSERT INTO code_files (repo_name, file_path, content, content_hash, size_bytes)
         SELECT 'many' || g % 20, 'empty' || g, '', sha256(''), 0 FROM generate_series(1, 3000) g",
    );
    let wanted = database.column(
        "SELECT concat_ws(' ', encode(content_hash, 'hex'), count(*), min(size_bytes),
                string_agg(repo_name || '/' || file_path, ' ' ORDER BY repo_name COLLATE \"C\", file_path COLLATE \"C\")
                    FILTER (WHERE place <= 100))
         FROM (SELECT *, row_number() OVER (PARTITION BY content_hash ORDER BY repo_name COLLATE \"C\", file_path COLLATE \"C\") AS place
               FROM code_files) f
         GROUP BY content_hash HAVING count(*) > 1 ORDER BY content_hash",
    );
    assert_eq!(wanted.len(), 301);
    for connections in ["1", "4"] {
        let mut told: Vec<String> = facts(&url, &["duplicates", "--connections", connections])
            .iter()
            .map(|group| {
                let files = group["files"].as_array().unwrap().iter();
                let files: Vec<String> = files
                    .map(|it| format!("{}/{}", it["repository"].as_str().unwrap(), it["path"].as_str().unwrap()))
                    .collect();
                let (hash, files) = (group["sha256"].as_str().unwrap(), files.join(" "));
                format!("{hash} {} {} {files}", group["count"], group["bytes"])
            })
            .collect();
        told.sort();
        assert_eq!(told, wanted);
    }
    // What wastes most comes first; 699 bytes are those of two files.
    let said = migrations(&url, &["analyze", "duplicates", "--limit", "1"]).succeeds().stdout;
    assert!(said.contains("2 files of 0.3 kB") && said.contains("301 contents"), "{said}");
    Passed
}

fn pairs_are_those_of_comparing_everything(server: &TestServer) -> Verdict {
    let database = filled(server);
    let url = database.url_text();
    database.execute("DELETE FROM embeddings WHERE repo_name IN ('large', 'middle')");
    // A vector of zeros is similar to nothing; one file is there three times, and one has another model.
    database.execute(
        "INSERT INTO embeddings (repo_name, path, model, content_hash, embedding)
         SELECT 'zeros', 'z' || g, 'm', sha256(''), array_fill(0, ARRAY[768])::vector FROM generate_series(1, 2) g;
         INSERT INTO embeddings (repo_name, path, model, content_hash, embedding)
         SELECT 'copy' || g, 'again', CASE g WHEN 3 THEN 'another' ELSE 'm' END, sha256(''), embedding
         FROM embeddings, generate_series(1, 3) g WHERE path = 'src/file1901'",
    );
    let wanted = database.column(
        "SELECT concat_ws(' ', a.repo_name, a.path, b.repo_name, b.path, round((a.embedding <=> b.embedding)::numeric, 6))
         FROM embeddings a JOIN embeddings b
           ON (a.repo_name COLLATE \"C\", a.path COLLATE \"C\") < (b.repo_name COLLATE \"C\", b.path COLLATE \"C\")
          AND a.model = b.model AND a.embedding <=> b.embedding <= 0.3
         ORDER BY 1",
    );
    assert!(wanted.len() > 100, "{} pairs", wanted.len());
    let told = |arguments: &[&str]| {
        let pairs = facts(&url, &[&["pairs", "--similarity", "0.7", "--nearest", "200"], arguments].concat());
        let place = |it: &Value| format!("{} {}", it["repository"].as_str().unwrap(), it["path"].as_str().unwrap());
        let mut told: Vec<String> = pairs
            .iter()
            .map(|it| {
                format!(
                    "{} {} {:.6}",
                    place(&it["one"]),
                    place(&it["other"]),
                    it["distance"].as_f64().unwrap().max(0.0)
                )
            })
            .collect();
        told.sort();
        told
    };
    let mut wanted = wanted;
    wanted.sort();
    assert_eq!(told(&["--recall", "exact"]), wanted);
    assert_eq!(told(&["--recall", "exact", "--connections", "5"]), wanted);
    // Who looks at two of the nearest, of which one is the vector itself, is told that there are more.
    migrations(&url, &["analyze", "pairs", "--similarity", "0.7", "--nearest", "2"])
        .succeeds()
        .prints("than were looked at");
    migrations(&url, &["analyze", "pairs", "--similarity", "2"]).exits(2);
    Passed
}

fn the_true_nearest_are_found(server: &TestServer) -> Verdict {
    let database = filled(server);
    let vectors = [3, 700, 1999];
    let asked: Vec<Vec<f32>> = database.with(async |connection| {
        let mut asked = Vec::new();
        for number in vectors {
            asked.push(serde_json::from_str(&vector(connection, number).await).unwrap());
        }
        asked
    });
    for (among, condition) in [
        (Among::default(), "true"),
        (Among { repository: Some("middle".into()), model: Some("m".into()) }, "repo_name = 'middle'"),
        (Among { model: Some("nobody".into()), ..Among::default() }, "false"),
    ] {
        let analysis = Analysis::new(&database.url, &Unwatched).connections(3);
        let found = block_on(analysis.nearest(&asked, 20, &among)).unwrap();
        for (number, found) in vectors.into_iter().zip(found) {
            let found: Vec<String> =
                found.iter().map(|it| format!("{} {} {:.6}", it.repository, it.path, it.distance)).collect();
            assert_eq!(found, nearest(&database, condition, 20, number));
        }
    }
    let none = block_on(Analysis::new(&database.url, &Unwatched).nearest(&[vec![0.5; 3]], 5, &Among::default()));
    assert!(none.is_err(), "three components are no vector of these");
    Passed
}

fn each_role_is_told_of_what_it_may_read(server: &TestServer) -> Verdict {
    let role = Role::new(server);
    let database = with_files(server);
    let url = role.url(&database);
    migrations(&url, &["analyze", "sizes"]).exits(1).says("permission denied");
    database.execute(&format!("GRANT SELECT ON code_files TO {}", role.name));
    migrations(&url, &["analyze", "sizes"]).succeeds().prints("1000 files");
    database.execute(&format!(
        "ALTER TABLE code_files ENABLE ROW LEVEL SECURITY;
         CREATE POLICY one ON code_files FOR SELECT TO {} USING (repo_name = 'repo1')",
        role.name
    ));
    let visible = database.text("SELECT count(*)::text FROM code_files WHERE repo_name = 'repo1'");
    migrations(&url, &["analyze", "sizes"]).succeeds().prints(&format!("{visible} files"));
    let groups = migrations(&url, &["analyze", "duplicates"]).succeeds().stdout;
    assert!(!groups.contains("repo2"), "{groups}");
    database.execute(&format!("DROP POLICY one ON code_files; DROP OWNED BY {}", role.name));
    Passed
}

/// Rows that move from leaf to leaf are in one of them at any moment.
fn all_connections_see_the_same_moment(server: &TestServer) -> Verdict {
    let database = with_files(server);
    let url = database.url_text();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let mover = scope.spawn(|| {
            block_on(async {
                let mut connection = sqlx::PgConnection::connect_with(&database.url.for_sqlx()).await.unwrap();
                let mut moves = 0;
                while !stop.load(Ordering::Relaxed) {
                    let move_all =
                        "UPDATE code_files SET repo_name = 'repo' || (substr(repo_name, 5)::integer + 1) % 37";
                    sqlx::raw_sql(move_all).execute(&mut connection).await.unwrap();
                    moves += 1;
                }
                connection.close().await.unwrap();
                moves
            })
        });
        for _ in 0..12 {
            migrations(&url, &["analyze", "sizes", "--connections", "8"]).succeeds().prints("1000 files");
        }
        stop.store(true, Ordering::Relaxed);
        assert!(mover.join().unwrap() > 0, "nothing moved");
    });
    Passed
}

fn who_stops_waiting_leaves_no_statement_behind(server: &TestServer) -> Verdict {
    let database = filled(server);
    let at_work = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%search_across%' AND pid <> pg_backend_pid()";
    for name in ["INT", "KILL"] {
        let pairs = ["analyze", "pairs", "--recall", "exact", "--nearest", "10000", "--similarity", "0"];
        let mut analyze = migrations_command(&database.url_text(), &pairs);
        let mut child = analyze.stderr(Stdio::null()).spawn().unwrap();
        database.wait(&format!("SELECT ({at_work}) = 2"));
        signal(&child, name);
        let status = child.wait().unwrap();
        assert_eq!(status.code(), (name == "INT").then_some(130));
        database.wait(&format!("SELECT ({at_work} AND state = 'active') = 0"));
    }
    Passed
}
