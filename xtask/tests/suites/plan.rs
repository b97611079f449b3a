//! What is said before anything is done: the statements of a plan, and all that stands against it at once.

use std::fs;

use crate::Verdict::{self, Passed};
use crate::command::{self, Run, migrations, project_copy, xtask, xtask_command};
use crate::database::{Database, Stage};
use crate::role::{self, Role};
use crate::server::TestServer;

crate::tests![
    a_plan_shows_the_statements_and_whom_they_stop,
    another_layout_is_shown_then_brought_about,
    all_broken_rules_are_said_at_once,
    what_a_run_would_refuse_is_said_beforehand,
    what_dumps_will_miss_is_said_once,
    what_a_new_clone_would_be_refused_for_is_a_warning,
    what_depends_on_the_role_is_told_to_the_owner_alone,
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

fn another_layout_is_shown_then_brought_about(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    let url = database.url_text();
    let ask = |leaves: &str, more: &[&str]| {
        migrations(&url, &[&["layout", "--table", "code_files", "--leaves", leaves], more].concat())
    };
    migrations(&url, &["layout"]).succeeds().says("Found layout `code_files` 16 hash leaves");
    ask("3", &[]).exits(2).says("it is no power of two from 1 to 1024");
    migrations(&url, &["layout", "--table", "code_files"]).exits(2).says("--leaves <COUNT>");
    migrations(&url, &["layout", "--table", "t", "--leaves", "4"])
        .exits(2)
        .says("it lays out `code_files`, `embeddings`");
    ask("1", &[]).exits(2).says("pass `--yes` to agree beforehand");
    let before = database.dump();
    let planned = ask("4", &["--dry-run"]).exits(3).says("Pending layout `code_files` 4 hash leaves");
    assert!(planned.stdout.contains("CREATE TABLE \"db_service_new\".\"code_files\""), "{}", planned.stdout);
    assert_eq!(database.dump(), before);
    assert_eq!(database.text("SELECT leaves::text FROM db_service.layout WHERE table_name = 'code_files'"), "16");
    for (leaves, is) in [("1", "one plain table"), ("4", "4 hash leaves"), ("16", "16 hash leaves")] {
        ask(leaves, &["--yes"]).succeeds().says(&format!("Converted layout `code_files` to {is}"));
        ask(leaves, &["--yes"]).succeeds().says_nothing_to_do();
        migrations(&url, &["layout"]).succeeds().says(&format!("Found layout `code_files` {is}"));
    }
    assert_eq!(database.dump(), before);
    database.execute("UPDATE db_service.layout SET leaves = 2 WHERE table_name = 'code_files'");
    migrations(&url, &["layout"]).exits(3).says("Pending layout `code_files` 2 hash leaves; now 16 hash leaves");
    database.execute("CREATE TABLE refers (r text, p text, FOREIGN KEY (r, p) REFERENCES code_files)");
    ask("1", &["--dry-run"]).exits(4).says("refers");
    ask("16", &[]).succeeds().says("Unchanged layout `code_files` 16 hash leaves");
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

/// Before the tables are laid out, and not for ever after.
fn what_dumps_will_miss_is_said_once(server: &TestServer) -> Verdict {
    let said = |run: Run| run.stderr.matches("note: dumps by schema or name").count();
    let plan = |database: &Database<'_>| migrations(&database.url_text(), &["plan"]);
    let dry_run = |database: &Database<'_>| xtask(&["db-setup", "--dry-run", "--database-url", &database.url_text()]);
    for stage in [Stage::Ecto, Stage::Declared] {
        let database = Database::at(server, stage);
        assert_eq!((said(plan(&database).exits(3)), said(dry_run(&database).exits(3))), (1, 1));
        let json = migrations(&database.url_text(), &["plan", "--json"]).json();
        assert_eq!(json["notes"].as_array().unwrap().len(), 1);
        assert_eq!(said(migrations(&database.url_text(), &[])), 1);
        assert_eq!((said(plan(&database).succeeds()), said(dry_run(&database).succeeds())), (0, 0));
        assert_eq!(said(migrations(&database.url_text(), &[])), 0);
    }
    let refused = Database::at(server, Stage::Declared);
    refused.execute("CREATE UNIQUE INDEX lonely ON code_files (id)");
    assert_eq!(said(plan(&refused).exits(4)), 0);
    let back = Database::at(server, Stage::All);
    back.execute("UPDATE db_service.layout SET leaves = 1");
    assert_eq!(said(plan(&back).exits(3)), 0);
    Passed
}

const LOOKS: [&str; 3] = ["plan", "status", "verify"];

/// What is added to a table in leaves afterwards; whoever looks.
fn what_a_new_clone_would_be_refused_for_is_a_warning(server: &TestServer) -> Verdict {
    let owner = Role::new(server);
    let database = Database::at(server, Stage::Ecto);
    role::give_all(&database, &owner.name);
    migrations(&owner.url(&database), &[]).succeeds();
    let urls = [database.url_text(), owner.url(&database)];
    for (url, command) in urls.iter().flat_map(|url| LOOKS.map(|command| (url, command))) {
        let clean = migrations(url, &[command, "--json"]).succeeds();
        assert!(clean.json().get("warnings").is_none() && !clean.stderr.contains("warning"), "{}", clean.stderr);
    }
    // As Ecto's `references` with `with:`, and what uses the row type.
    let as_owner = Database::with_url(server, &database.name, &urls[1]);
    as_owner.execute(
        "CREATE TABLE notes (id bigserial PRIMARY KEY, repo_name text, path text,
             CONSTRAINT notes_path_fkey FOREIGN KEY (repo_name, path) REFERENCES code_files (repo_name, file_path));
         CREATE FUNCTION newest() RETURNS SETOF embeddings LANGUAGE sql AS 'SELECT * FROM public.embeddings'",
    );
    let of_files = "warning: table `code_files`: it is referenced by the foreign key notes_path_fkey of notes; \
                    a new clone of this schema would be refused, and so would the next split, merge or revert";
    for (url, command) in urls.iter().flat_map(|url| LOOKS.map(|command| (url, command))) {
        let run = migrations(url, &[command])
            .succeeds()
            .says(of_files)
            .says("warning: table `embeddings`: function newest()");
        assert_eq!(run.stderr.matches("warning: ").count(), 2, "{}", run.stderr);
    }
    // It is true.
    for (table, why) in [("code_files", "notes_path_fkey"), ("embeddings", "newest()")] {
        migrations(&urls[1], &["revert", "--table", table, "--yes"]).exits(4).says(why);
    }
    database.execute("UPDATE db_service.layout SET leaves = 16");
    assert!(!migrations(&urls[1], &[]).succeeds().stderr.contains("warning"), "it looks where it has nothing to do");
    as_owner.execute("DROP TABLE notes; DROP FUNCTION newest");
    assert!(!migrations(&urls[1], &["plan"]).succeeds().stderr.contains("warning"));
    Passed
}

/// Who may only read cannot change the table anyhow; its owner cannot while a view is somebody else's.
fn what_depends_on_the_role_is_told_to_the_owner_alone(server: &TestServer) -> Verdict {
    let (owner, reader) = (Role::new(server), Role::new(server));
    let database = Database::at(server, Stage::Ecto);
    role::give_all(&database, &owner.name);
    migrations(&owner.url(&database), &[]).succeeds();
    database.execute(&format!(
        "CREATE VIEW files AS SELECT repo_name FROM code_files; ALTER VIEW files OWNER TO {reader};
         GRANT USAGE ON SCHEMA db_service TO {reader}; GRANT SELECT ON ALL TABLES IN SCHEMA db_service, public TO {reader};
         CREATE VIEW leaf_16_3.part AS SELECT repo_name FROM leaf_16_3.code_files",
        reader = reader.name
    ));
    let of_leaf = "view leaf_16_3.part depends on its leaf \"leaf_16_3\".\"code_files\"; the next split";
    let of_role = format!("belongs to {}, of whom `{}` is no member", reader.name, owner.name);
    for command in LOOKS {
        migrations(&owner.url(&database), &[command]).succeeds().says(of_leaf).says(&of_role);
        let run = migrations(&reader.url(&database), &[command]).succeeds().says(of_leaf);
        assert_eq!(run.stderr.matches("warning: ").count(), 1, "{}", run.stderr);
    }
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
