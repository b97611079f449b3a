//! What commands say of what they found, what it would take, and how to go on.

use serde_json::Value;

use crate::Verdict::{self, Passed};
use crate::command::migrations;
use crate::database::{Database, Stage};
use crate::server::TestServer;
use crate::twins::partitioned;

crate::tests![
    what_is_only_looked_at_is_not_called_unchanged,
    status_says_what_tables_hold_and_when_migrations_came,
    verify_does_not_pass_a_layout_that_is_not_there,
    a_dry_run_of_split_says_what_leaves_hold,
    a_revert_says_what_it_takes_and_how_to_go_back,
    an_index_that_is_planned_can_be_pasted,
    what_is_pending_is_given_as_sql,
    the_time_is_estimated_from_what_was_measured,
    json_says_which_postgresql_it_is,
];

const LARGER: &str = "INSERT INTO code_files (repo_name, file_path, content, content_hash, size_bytes)
    SELECT 'repo' || g % 40, 'more' || g, '', sha256(g::text::bytea), 0 FROM generate_series(1, 12000) g; ANALYZE code_files";

fn what_is_only_looked_at_is_not_called_unchanged(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    for command in ["status", "verify", "layout"] {
        let run = migrations(&database.url_text(), &[command]).succeeds();
        assert!(!run.stderr.contains("Unchanged"), "{command}: {}", run.stderr);
    }
    migrations(&database.url_text(), &["verify"])
        .succeeds()
        .says("Verified layout `code_files` 16 hash leaves")
        .says("Verified indexes: all are valid")
        .says("Verified leftovers: none of finished work");
    Passed
}

fn layout_of<'a>(document: &'a Value, table: &str) -> &'a Value {
    let mut steps = document["steps"].as_array().unwrap().iter();
    steps.find(|step| step["object"] == "layout" && step["name"] == table).unwrap()
}

fn status_says_what_tables_hold_and_when_migrations_came(server: &TestServer) -> Verdict {
    let database = partitioned(server);
    let url = database.url_text();
    database.execute(
        "UPDATE schema_migrations SET inserted_at = '2026-01-02 03:04:05' WHERE version = 20251005030000;
         UPDATE db_service._sqlx_migrations SET installed_on = '2026-01-03 03:04:05+00' WHERE version = 2; ANALYZE code_files",
    );
    migrations(&url, &["status"])
        .succeeds()
        .says("Found migration `20251005030000_create_code_files` applied 2026-01-02 03:04:05 UTC")
        .says("Found migration `002_rag_optimizations` applied 2026-01-03 03:04:05 UTC")
        .says("Found layout `code_files` 16 hash leaves: about 3000 rows, ")
        .says("; largest leaf 16/")
        .says("; smallest leaf 16/")
        .says("note: a layout is how a table's rows are stored");
    let document = migrations(&url, &["status", "--json"]).succeeds().json();
    let step = layout_of(&document, "code_files");
    let facts = &step["facts"];
    assert_eq!((&step["status"], &facts["rows"], &facts["phase"]), (&"found".into(), &3000.into(), &Value::Null));
    assert_eq!((&facts["declared"], &facts["actual"]), (&"16 hash leaves".into(), &"16 hash leaves".into()));
    let largest = "SELECT max(n)::text FROM (SELECT count(*) n FROM code_files GROUP BY tableoid) c";
    assert_eq!(facts["largest_leaf"]["rows"].to_string(), database.text(largest));
    assert!(
        facts["table_bytes"].as_u64() > Some(1_000_000) && facts["index_bytes"].as_u64() > Some(100_000),
        "{facts}"
    );
    let declared = Database::at(server, Stage::Declared);
    migrations(&declared.url_text(), &["status"])
        .exits(3)
        .says("Pending layout `code_files` 16 hash leaves; now one plain table: about ")
        .says("; it holds about ");
    Passed
}

fn verify_does_not_pass_a_layout_that_is_not_there(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::Declared);
    let url = database.url_text();
    migrations(&url, &["verify"])
        .exits(3)
        .says("Pending layout `code_files` 16 hash leaves; now one plain table")
        .says("Verified layout `embeddings` one plain table")
        .says("Verified indexes: all are valid");
    migrations(&url, &[]).succeeds();
    migrations(&url, &["verify"]).succeeds().says("Verified layout `code_files` 16 hash leaves");
    Passed
}

fn a_dry_run_of_split_says_what_leaves_hold(server: &TestServer) -> Verdict {
    let database = partitioned(server);
    let url = database.url_text();
    database.execute("ANALYZE");
    let run = migrations(&url, &["split", "--table", "code_files", "--dry-run"]).succeeds().says_nothing_to_do();
    let said = |leaf: usize| {
        let rows = database.text(&format!("SELECT count(*)::text FROM leaf_16_{leaf}.code_files"));
        let line = format!("Found leaf `16/{leaf}` of `code_files` holds about {rows} rows, ");
        run.stderr.lines().any(|it| it.starts_with(&line) && it.contains("; split above 10000000 rows"))
    };
    assert!((0..16).all(said), "{}", run.stderr);
    Passed
}

fn a_revert_says_what_it_takes_and_how_to_go_back(server: &TestServer) -> Verdict {
    let database = partitioned(server);
    let url = database.url_text();
    database.execute("ANALYZE");
    migrations(&url, &["revert", "--table", "code_files", "--dry-run"])
        .exits(3)
        .says("Pending layout `code_files` one plain table: about 3000 rows; about ")
        .says(" of disk until the old form is dropped, ");
    let back = "migrations layout --table code_files --leaves 16";
    let run = migrations(&url, &["revert", "--table", "code_files", "--yes"]).succeeds();
    assert!(run.stderr.trim_end().ends_with(&format!("note: to go back: `{back}`")), "{}", run.stderr);
    let words: Vec<&str> = back.split(' ').skip(1).chain(["--yes"]).collect();
    migrations(&url, &words).succeeds().says("Converted layout `code_files` to 16 hash leaves");
    Passed
}

fn an_index_that_is_planned_can_be_pasted(server: &TestServer) -> Verdict {
    let database = partitioned(server);
    let url = database.url_text();
    let create = ["create-index", "--table", "code_files", "--columns", "updated_at"];
    let planned = migrations(&url, &[&create[..], &["--dry-run"]].concat()).exits(3);
    // As a terminal would: one line after the other.
    for line in planned.stdout.lines().filter(|line| !line.starts_with("--")) {
        assert!(line.ends_with(';'), "`{line}` is no statement");
        database.execute(line);
    }
    migrations(&url, &create).succeeds().says("Unchanged index `code_files_updated_at_index`");
    let json = migrations(
        &url,
        &["create-index", "--table", "code_files", "--columns", "id,updated_at", "--dry-run", "--json"],
    );
    assert_eq!(json.exits(3).json()["steps"].as_array().unwrap().len(), 33);
    Passed
}

fn what_is_pending_is_given_as_sql(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::Ecto);
    let url = database.url_text();
    let script = migrations(&url, &["plan", "--sql"]).exits(3).says("Pending migration `002_rag_optimizations`").stdout;
    assert!(script.contains("-- migration `002_rag_optimizations`") && !script.contains(" pending ("), "{script}");
    database.execute(&script);
    // What moves rows is there to be read.
    let before = database.dump();
    let moves = migrations(&url, &["plan", "--sql"]).exits(3).stdout;
    assert!(moves.contains("--   ALTER TABLE \"public\".\"code_files\" SET SCHEMA db_service_old;"), "{moves}");
    assert!(moves.lines().all(|line| line.is_empty() || line.starts_with("--")), "{moves}");
    assert!(moves.contains("by loops that no list of statements can say"), "{moves}");
    assert_eq!(database.dump(), before);
    migrations(&url, &[]).succeeds().says("Unchanged performance layer");
    assert_eq!(migrations(&url, &["plan", "--sql"]).succeeds().stdout, "-- nothing is pending\n");
    assert_eq!(database.dump(), Database::at(server, Stage::All).dump());
    Passed
}

fn the_time_is_estimated_from_what_was_measured(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::Declared);
    let url = database.url_text();
    database.execute(LARGER);
    migrations(&url, &["plan"])
        .exits(3)
        .says("about 12000 rows; about 2 s (estimated with 20000 rows a second, as on two cores)");
    migrations(&url, &[]).succeeds();
    let elsewhere = ["layout", "--table", "code_files", "--leaves", "8", "--dry-run"];
    let run = migrations(&url, &elsewhere).exits(3).says(" rows a second, as earlier jobs here)");
    let rate = "SELECT floor(12000 / extract(epoch FROM updated_at - started_at))::text
                FROM db_service.relayout_job WHERE table_name = 'code_files' ORDER BY id DESC LIMIT 1";
    run.says(&format!("estimated with {} rows", database.text(rate)));
    // One way says nothing of the other.
    migrations(&url, &["revert", "--table", "code_files", "--dry-run"]).exits(3).says("as on two cores");
    Passed
}

fn json_says_which_postgresql_it_is(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    let version = database.text("SHOW server_version");
    for command in [&["--json"][..], &["plan", "--json"], &["status", "--json"], &["verify", "--json"]] {
        let document = migrations(&database.url_text(), command).succeeds().json();
        assert_eq!(document["server"]["postgresql"], *version, "{command:?}");
    }
    Passed
}
