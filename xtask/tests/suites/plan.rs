//! What is said before anything is done: the statements of a plan, and all that stands against it at once.

use std::fs;

use crate::Verdict::{self, Passed};
use crate::command::{self, migrations, project_copy, xtask, xtask_command};
use crate::database::{Database, Stage};
use crate::server::TestServer;

crate::tests![
    a_plan_shows_the_statements_and_whom_they_stop,
    all_broken_rules_are_said_at_once,
    what_a_run_would_refuse_is_said_beforehand,
    a_benchmark_drops_nothing_of_others,
];

fn a_plan_shows_the_statements_and_whom_they_stop(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    let url = database.url_text();
    let reached = migrations(&url, &["plan", "--json"]).succeeds().json();
    assert!(reached.get("statements").is_none(), "{reached}");
    migrations(&url, &["revert", "--table", "code_files", "--yes"]).succeeds();
    database.execute("UPDATE db_service.layout SET leaves = 4 WHERE table_name = 'code_files'");
    let plan = migrations(&url, &["plan"]).exits(3);
    for line in [
        "-- code_files: planned → shadow; a kill before the end of it leaves a row in the journal; the next run goes on with it, or gives it up if another layout is wanted by then",
        "-- from now on writers log the keys that they change; locks public.code_files in SHARE ROW EXCLUSIVE mode",
        "CREATE TABLE \"leaf_4_0\".\"code_files\" PARTITION OF \"db_service_new\".\"code_files\" FOR VALUES WITH (MODULUS 4, REMAINDER 0);",
        "-- … and 3 like it",
        "ALTER TABLE \"public\".\"code_files\" SET SCHEMA db_service_old;",
    ] {
        assert!(plan.stdout.lines().any(|said| said == line), "`{line}` is not in\n{}", plan.stdout);
    }
    let json = migrations(&url, &["plan", "--json"]).exits(3).json();
    let statements = json["statements"].as_array().unwrap();
    let keys: Vec<&String> = statements[0].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["name", "phase", "why", "lock", "sql"]);
    let locks = |phase: &str| {
        let of_phase = statements.iter().filter(|statement| statement["phase"] == phase);
        of_phase.filter(|it| it["lock"] == "ACCESS EXCLUSIVE on public.code_files").count()
    };
    assert_eq!(
        (locks("planned"), locks("backfilling"), locks("indexing")),
        (0, 0, 0),
        "nobody is stopped before the swap"
    );
    assert!(locks("catching_up") > 0);
    Passed
}

fn all_broken_rules_are_said_at_once(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    database.execute("DELETE FROM schema_migrations WHERE version = 20251005030001; CREATE TABLE t (); DROP VIEW db_service.partition_plan");
    let folder = tempfile::tempdir().unwrap();
    let copy = project_copy(folder.path());
    let edited = copy.join("migrations/002_rag_optimizations.sql");
    let text = fs::read_to_string(&edited).unwrap();
    fs::write(edited, text + "\n-- afterthought\n").unwrap();
    let url = database.url_text();
    let json = command::run(xtask_command(&copy, &["db-setup", "--layers", "sqlx", "--json", "--database-url", &url]))
        .exits(4)
        .json();
    assert_eq!(
        json["errors"][0]["why"],
        serde_json::json!([
            "1 Ecto migration(s) are pending, first `20251005030001_create_embeddings`",
            "migration `002_rag_optimizations` was edited after it was applied",
            "migration `003_partition_optimized` is recorded as applied, yet `db_service.partition_plan` does not exist",
        ])
    );
    assert_eq!(json["errors"][0]["next"].as_str().unwrap().lines().count(), 3, "one remedy each");
    Passed
}

/// By everything that tells what there is to do; what stands against one table is not told of the other.
fn what_a_run_would_refuse_is_said_beforehand(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::Declared);
    database.execute(
        "UPDATE db_service.layout SET leaves = 16 WHERE table_name = 'embeddings';
         CREATE UNIQUE INDEX lonely ON code_files (id); CREATE MATERIALIZED VIEW summary AS SELECT count(*) FROM code_files",
    );
    let url = database.url_text();
    let runs = [
        migrations(&url, &["plan"]),
        migrations(&url, &["status"]),
        xtask(&["db-setup", "--dry-run", "--database-url", &url]),
    ];
    for run in runs {
        let run = run
            .exits(4)
            .says("Pending layout `embeddings` 16 hash leaves")
            .says("cannot change the layout of table `code_files`")
            .says("its unique index `lonely` lacks `repo_name`; materialized view summary depends on it");
        assert!(!run.stderr.contains("Pending layout `code_files`"), "{}", run.stderr);
    }
    let plan = migrations(&url, &["plan", "--json"]).exits(4).json();
    let statements = plan["statements"].as_array().unwrap();
    assert!(!statements.is_empty() && statements.iter().all(|statement| statement["name"] == "embeddings"));
    Passed
}

/// It has a fixed name, and so may a database that somebody else has made.
fn a_benchmark_drops_nothing_of_others(server: &TestServer) -> Verdict {
    let _names = server.fixed_names();
    let mut database = Database::absent(server);
    database.name = "singularity_bench_relayout".into();
    database.url = server.url.database(&database.name);
    database.drop_if_exists();
    server.named("postgres").execute("CREATE DATABASE singularity_bench_relayout");
    let url = server.named("postgres").url.server().for_libpq();
    let bench = ["bench", "relayout", "--rows", "10", "--vectors", "10", "--database-url", &url];
    let refused = "database `singularity_bench_relayout` is there and marked as `prod`, not as `test`";
    database.execute("CREATE TABLE mine ()");
    xtask(&bench).exits(4).says(refused).says("hint: a benchmark drops only what a benchmark has made");
    database.execute("ALTER DATABASE singularity_bench_relayout SET singularity.environment = 'prod'");
    xtask(&bench).exits(4).says(refused);
    assert!(database.truth("SELECT to_regclass('mine') IS NOT NULL"));
    Passed
}
