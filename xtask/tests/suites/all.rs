//! All three layers in one run.

use std::process::Stdio;

use crate::Verdict::{self, Passed};
use crate::command::{Run, run, xtask, xtask_command};
use crate::database::{Database, Stage};
use crate::server::{TestServer, project};

crate::tests![
    a_conversion_is_measured,
    a_server_gets_three_databases,
    eight_runs_at_once_make_one_schema,
    the_second_run_says_unchanged_for_every_step,
    json_is_the_documented_document,
    a_dry_run_shows_every_step_and_does_none,
    ctrl_c_ends_it_and_the_next_run_finishes,
];

const NAMES: [&str; 3] = ["singularity_dev", "singularity_test", "singularity_embeddings"];

fn server_url(server: &TestServer) -> String {
    server.url.for_libpq()
}

fn a_server_gets_three_databases(server: &TestServer) -> Verdict {
    let _names = server.fixed_names();
    let url = server_url(server);
    xtask(&["db-setup", "--ecto", "load", "--database-url", &url]).succeeds();
    for name in NAMES {
        let database = server.named(name);
        assert!(database.truth("SELECT EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'vector')"), "{name}");
        let environment = if name == "singularity_test" { "test" } else { "dev" };
        assert_eq!(database.text("SHOW singularity.environment"), environment, "{name}");
    }
    let dump = Database::at(server, Stage::All).dump();
    assert_eq!(server.named("singularity_dev").dump(), dump);
    assert_eq!(server.named("singularity_test").dump(), dump);
    assert!(
        !server
            .named("singularity_embeddings")
            .truth("SELECT EXISTS (SELECT 1 FROM pg_tables WHERE schemaname = 'public')")
    );
    let json = xtask(&["db-setup", "--json", "--database-url", &url]).succeeds().json();
    assert_eq!(json["outcome"], "unchanged");
    Passed
}

fn eight_runs_at_once_make_one_schema(server: &TestServer) -> Verdict {
    let _names = server.fixed_names();
    let url = server_url(server);
    let children: Vec<_> = (0..8)
        .map(|_| {
            let mut command = xtask_command(
                project(),
                &["db-setup", "--ecto", "load", "--lock-timeout", "90", "--database-url", &url],
            );
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let runs: Vec<Run> =
        children.into_iter().map(|child| Run::of(&child.wait_with_output().unwrap()).succeeds()).collect();
    let count = |text: &str| runs.iter().filter(|run| run.stderr.contains(text)).count();
    for name in NAMES {
        assert_eq!(count(&format!("Created database `{name}`")), 1, "{name}");
        assert_eq!(count(&format!("Created extension `vector` {} in `{name}`", vector_version(server))), 1, "{name}");
    }
    assert_eq!(count("Applied migration `002_rag_optimizations` in `singularity_dev`"), 1);
    let dump = Database::at(server, Stage::All).dump();
    assert_eq!(server.named("singularity_dev").dump(), dump);
    assert_eq!(server.named("singularity_test").dump(), dump);
    Passed
}

fn vector_version(server: &TestServer) -> String {
    server.named("postgres").text("SELECT default_version FROM pg_available_extensions WHERE name = 'vector'")
}

fn the_second_run_says_unchanged_for_every_step(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    let run = xtask(&["db-setup", "--verbose", "--database-url", &database.url_text()]).succeeds();
    // Which extensions there are, and in which version, differs from server to server.
    let lines: Vec<&str> =
        run.stderr.lines().filter(|line| line.starts_with("Unchanged") && !line.contains("extension")).collect();
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(&database.name, "<0>");
    settings.bind(|| {
        insta::allow_duplicates! {
            insta::assert_snapshot!(lines.join("\n"), @"
        Unchanged database `<0>`
        Unchanged environment `prod` in `<0>`
        Unchanged migration `20251005_add_rag_cache` in `<0>`
        Unchanged migration `20251004222000_create_framework_patterns` in `<0>`
        Unchanged migration `20251005030000_create_code_files` in `<0>`
        Unchanged migration `20251005030001_create_embeddings` in `<0>`
        Unchanged migration `20251005030002_create_tool_knowledge` in `<0>`
        Unchanged migration `20251005030003_create_code_fingerprints` in `<0>`
        Unchanged migration `002_rag_optimizations` in `<0>`
        Unchanged migration `003_partition_optimized` in `<0>`
        Unchanged migration `004_enable_pg_cache` in `<0>`
        Unchanged migration `005_search` in `<0>`
        Unchanged migration `006_filtered_search` in `<0>`
        Unchanged migration `007_vchordrq` in `<0>`
        Unchanged migration `008_filters_planned_once` in `<0>`
        Unchanged migration `009_maintenance` in `<0>`
        Unchanged migration `010_content_filter` in `<0>`
        Unchanged migration `011_lean_versions` in `<0>`
        Unchanged migration `012_semantic_cache` in `<0>`
        Unchanged migration `013_weekly_leaves` in `<0>`
        Unchanged layout `code_files` 16 hash leaves in `<0>`
        Unchanged layout `embeddings` 16 hash leaves in `<0>`
        Unchanged triggers `code_files` 4 for versions, on the table and 16 below it in `<0>`
        Unchanged triggers `embeddings` 4 for codes, 4 for versions, on the table and 16 below it in `<0>`
        Unchanged codes `embeddings` halfvec in `<0>`
        ");
        }
    });
    Passed
}

fn json_is_the_documented_document(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::Ecto);
    let url = database.url_text();
    let dry_run = xtask(&["db-setup", "--dry-run", "--json", "--database-url", &url]).exits(3).json();
    let json = xtask(&["db-setup", "--json", "--database-url", &url]).succeeds().json();
    for document in [&dry_run, &json] {
        let keys: Vec<&String> = document.as_object().unwrap().keys().collect();
        assert_eq!(
            keys,
            ["version", "command", "outcome", "exit_code", "server", "steps", "notes", "errors", "milliseconds"]
        );
        assert_eq!(document["version"], 1);
        assert_eq!(document["command"], "db-setup");
        let shown = document["server"]["url"].as_str().unwrap();
        assert!(shown.contains(":***@"), "{shown}");
        for step in document["steps"].as_array().unwrap() {
            let keys: Vec<&String> = step.as_object().unwrap().keys().collect();
            assert_eq!(keys, ["database", "layer", "object", "name", "status", "detail", "remedy", "milliseconds"]);
        }
    }
    assert_eq!((&dry_run["outcome"], &dry_run["exit_code"]), (&"pending".into(), &3.into()));
    assert_eq!((&json["outcome"], &json["exit_code"]), (&"changed".into(), &0.into()));
    let failed =
        xtask(&["db-setup", "--json", "--database-url", "postgres://postgres:s3cr%40t%2Fpass%231@127.0.0.1:1/x"])
            .exits(1)
            .json();
    assert_eq!(failed["outcome"], "failed");
    assert_eq!(failed["errors"][0]["what"], "cannot connect to `postgres://postgres:***@127.0.0.1:1/x`");
    assert!(failed["errors"][0]["next"].as_str().unwrap().contains("check the host and the port"));
    Passed
}

fn a_dry_run_shows_every_step_and_does_none(server: &TestServer) -> Verdict {
    let _names = server.fixed_names();
    let url = server_url(server);
    let arguments = ["db-setup", "--ecto", "load", "--database-url", &url];
    let dry = run(xtask_command(project(), &[&arguments[..], &["--dry-run", "--json"]].concat())).exits(3).json();
    for name in NAMES {
        assert!(
            !server
                .named("postgres")
                .truth(&format!("SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = '{name}')"))
        );
    }
    let real = run(xtask_command(project(), &[&arguments[..], &["--json"]].concat())).succeeds().json();
    let steps = |document: &serde_json::Value, wanted: fn(&str) -> bool| {
        let steps =
            document["steps"].as_array().unwrap().iter().filter(|step| wanted(step["status"].as_str().unwrap()));
        let mut names: Vec<String> =
            steps.map(|step| format!("{} {} {}", step["database"], step["object"], step["name"])).collect();
        names.sort();
        names
    };
    let done = steps(&real, |status| !matches!(status, "unchanged" | "left_out"));
    assert_eq!(steps(&dry, |status| status == "pending"), done, "a dry run promises what a run does");
    Passed
}

fn ctrl_c_ends_it_and_the_next_run_finishes(server: &TestServer) -> Verdict {
    let database = Database::absent(server);
    let folder = tempfile::tempdir().unwrap();
    let is_begun = folder.path().join("begun");
    let bin = crate::command::stand_in_mix(folder.path(), &format!("touch '{}'; sleep 60", is_begun.display()));
    let url = database.url_text();
    let mut command = xtask_command(
        project(),
        &["db-setup", "--layers", "bootstrap,ecto", "--ecto", "migrate", "--database-url", &url],
    );
    command.env("PATH", crate::command::path_with(&bin)).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    while !is_begun.exists() {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    crate::command::signal(&child, "INT");
    Run::of(&child.wait_with_output().unwrap()).exits(130).says("error: interrupted").says("hint: nothing is lost");
    xtask(&["db-setup", "--ecto", "load", "--database-url", &url]).succeeds();
    assert_eq!(database.dump(), Database::at(server, Stage::All).dump());
    Passed
}

/// That it measures, not what.
fn a_conversion_is_measured(server: &TestServer) -> Verdict {
    // Its database has a fixed name too.
    let _names = server.fixed_names();
    let url = server.named("postgres").url.server().for_libpq();
    let bench = ["bench", "relayout", "--rows", "1500", "--vectors", "200", "--json", "--database-url", &url];
    let json = xtask(&bench).succeeds().json();
    assert_eq!(json["command"], "bench relayout");
    for (table, rows) in [(0, 1000.0), (1, 10.0)] {
        assert!(json["tables"][table]["rows"].as_f64().unwrap() > rows, "{json}");
        assert!(json["tables"][table]["ratios"]["until_swap"].as_f64().unwrap() > 0.0, "{json}");
        assert!(json["tables"][table]["writers"]["during"]["transactions"].as_u64().unwrap() > 0, "{json}");
    }
    let scratch = "SELECT count(*)::text FROM pg_database WHERE datname = 'singularity_bench_relayout'";
    assert_eq!(server.named("postgres").text(scratch), "0");
    Passed
}
