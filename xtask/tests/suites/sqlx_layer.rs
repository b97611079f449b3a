//! The third layer: the performance layer's migrations, by xtask and by the production binary.

use std::fs;
use std::path::Path;
use std::process::Command;

use sqlx::migrate::Migrate as _;

use crate::Verdict::{self, Passed, Skipped};
use crate::command::{self, migrations, project_copy, xtask, xtask_command};
use crate::database::{Database, Stage};
use crate::server::{TestServer, project};

crate::tests![
    the_binary_needs_nothing_but_a_url,
    the_layer_does_not_start_before_ecto_is_done,
    the_logical_schema_stays_as_ecto_made_it,
    a_second_run_writes_nothing,
    plan_and_status_write_nothing,
    sqlx_cli_sees_the_same_ledger,
    an_edited_migration_is_refused,
    a_misnamed_migration_is_refused,
    a_migration_from_the_future_is_refused,
    a_lost_object_is_found_out,
    an_invalid_index_is_found_out,
    sqlx_own_lock_is_respected,
    two_runs_wait_for_each_other,
    the_environment_of_a_role_does_not_cut_a_migration_short,
];

fn setup(database: &Database<'_>, more: &[&str]) -> command::Run {
    let url = database.url_text();
    xtask(&[&["db-setup", "--ecto", "load", "--database-url", &url], more].concat())
}

fn the_binary_needs_nothing_but_a_url(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::Ecto);
    let url = database.url_text();
    migrations(&url, &["plan"]).exits(3).says("Pending migration `002_rag_optimizations`");
    migrations(&url, &[]).succeeds().says("Applied migration `002_rag_optimizations`");
    migrations(&url, &[]).succeeds().says("Unchanged performance layer");
    migrations(&url, &["plan"]).succeeds();
    let status = migrations(&url, &["status", "--json"]).succeeds().json();
    assert_eq!(status["command"], "migrations status");
    assert!(status["steps"].as_array().unwrap().iter().any(|step| step["layer"] == "ecto"));
    let by_xtask = Database::at(server, Stage::All);
    assert_eq!(database.dump(), by_xtask.dump());
    Passed
}

fn the_layer_does_not_start_before_ecto_is_done(server: &TestServer) -> Verdict {
    let database = Database::empty(server);
    let url = database.url_text();
    migrations(&url, &[])
        .exits(4)
        .says("6 Ecto migration(s) are pending, first `20251005_add_rag_cache`")
        .says("hint: ");
    xtask(&["db-setup", "--layers", "bootstrap,sqlx", "--database-url", &url])
        .exits(4)
        .says("Ecto migration(s) are pending");
    assert!(!database.truth("SELECT to_regnamespace('db_service') IS NOT NULL"));
    migrations(&url, &["status"]).exits(4).says("Pending migration `20251005030001_create_embeddings`");

    let half = Database::at(server, Stage::Ecto);
    half.execute("DELETE FROM schema_migrations WHERE version = 20251005030001");
    migrations(&half.url_text(), &[])
        .exits(4)
        .says("1 Ecto migration(s) are pending, first `20251005030001_create_embeddings`");
    Passed
}

/// Everything in `public` that is not storage, one line a fact.
const LOGICAL_SCHEMA: &str = "
    SELECT concat_ws(' ', 'table', relname, obj_description(oid, 'pg_class'), relacl, pg_get_userbyid(relowner))
    FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'S')
    UNION ALL
    SELECT concat_ws(' ', 'column', attrelid::regclass, attnum, attname, format_type(atttypid, atttypmod), attnotnull, attstorage,
                     attgenerated, pg_get_expr(adbin, adrelid), col_description(attrelid, attnum),
                     pg_get_serial_sequence(attrelid::regclass::text, attname))
    FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND attnum > 0
    UNION ALL
    SELECT concat_ws(' ', 'constraint', conrelid::regclass, conname, pg_get_constraintdef(oid))
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL
    SELECT concat_ws(' ', 'index', replace(pg_get_indexdef(indexrelid), ' ON ONLY ', ' ON '), indisvalid)
    FROM pg_index JOIN pg_class c ON c.oid = indrelid WHERE relnamespace = 'public'::regnamespace
    ORDER BY 1";

fn the_logical_schema_stays_as_ecto_made_it(server: &TestServer) -> Verdict {
    let before = Database::at(server, Stage::Ecto);
    let after = Database::at(server, Stage::All);
    assert_ne!(after.dump(), before.dump());
    assert_eq!(after.column(LOGICAL_SCHEMA), before.column(LOGICAL_SCHEMA));
    Passed
}

fn a_second_run_writes_nothing(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    database.execute(&format!("ALTER DATABASE {} SET default_transaction_read_only = on", database.name));
    let json = setup(&database, &["--json"]).succeeds().json();
    assert_eq!(json["outcome"], "unchanged");
    migrations(&database.url_text(), &[]).succeeds();
    Passed
}

fn plan_and_status_write_nothing(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::Ecto);
    let before = database.dump();
    database.execute(&format!("ALTER DATABASE {} SET default_transaction_read_only = on", database.name));
    migrations(&database.url_text(), &["plan"]).exits(3);
    migrations(&database.url_text(), &["status"]).exits(3);
    setup(&database, &["--dry-run"]).exits(3);
    assert_eq!(database.dump(), before);
    Passed
}

fn sqlx_cli_sees_the_same_ledger(server: &TestServer) -> Verdict {
    let toml = fs::read_to_string(project().join("sqlx.toml")).unwrap();
    for setting in [
        format!("create-schemas = [\"{}\"]", ledger::migration::SCHEMA),
        format!("table-name = \"{}\"", ledger::migration::LEDGER),
    ] {
        assert!(toml.contains(&setting), "`{setting}` is not in sqlx.toml");
    }
    let database = Database::at(server, Stage::All);
    let mut sqlx = Command::new("sqlx");
    sqlx.args(["migrate", "info", "--no-dotenv"]).env("DATABASE_URL", database.url_text()).current_dir(project());
    let Ok(output) = sqlx.output() else { return Skipped("sqlx-cli is not installed".into()) };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("2/installed rag optimizations"), "{text}");
    assert!(!text.contains("pending") && !text.contains("different"), "{text}");
    Passed
}

/// Runs `db-setup` on a copy of the project that `spoil` has changed.
fn with_spoiled_migrations(database: &Database<'_>, spoil: impl Fn(&Path)) -> command::Run {
    let folder = tempfile::tempdir().unwrap();
    let copy = project_copy(folder.path());
    spoil(&copy.join("migrations"));
    command::run(xtask_command(&copy, &["db-setup", "--ecto", "load", "--database-url", &database.url_text()]))
}

fn an_edited_migration_is_refused(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    let edit = |folder: &Path| {
        let path = folder.join("002_rag_optimizations.sql");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(path, text + "\n-- afterthought\n").unwrap();
    };
    with_spoiled_migrations(&database, edit)
        .exits(4)
        .says("migration `002_rag_optimizations` was edited after it was applied")
        .says("hint: restore the file as it was released");
    Passed
}

fn a_misnamed_migration_is_refused(server: &TestServer) -> Verdict {
    let database = Database::absent(server);
    for name in ["003-more.sql", "more_003.sql", "003.sql"] {
        with_spoiled_migrations(&database, |folder| fs::write(folder.join(name), "SELECT 1").unwrap())
            .exits(4)
            .says(&format!("file `{name}` is not named `<version>_<name>.sql`, so sqlx would pass over it"));
    }
    Passed
}

fn a_migration_from_the_future_is_refused(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    database.execute("INSERT INTO db_service._sqlx_migrations SELECT 900, 'x', now(), true, checksum, 1 FROM db_service._sqlx_migrations LIMIT 1");
    setup(&database, &[]).exits(4).says("holds version 900, for which there is no file").says("run the newer version");
    migrations(&database.url_text(), &[]).exits(4);
    Passed
}

fn a_lost_object_is_found_out(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    database.execute("DROP TABLE db_service.layout CASCADE");
    setup(&database, &[])
        .exits(4)
        .says("migration `002_rag_optimizations` is recorded as applied, yet `db_service.layout` does not exist");
    database.execute("DROP SCHEMA db_service CASCADE");
    setup(&database, &[]).succeeds().says("Applied migration `002_rag_optimizations`");

    database.execute("DROP TABLE public.embeddings");
    setup(&database, &[]).exits(4).says("requires the table `public.embeddings`, which does not exist");
    Passed
}

fn an_invalid_index_is_found_out(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    // A unique build that fails leaves its index behind, as a killed one does.
    database.error("CREATE UNIQUE INDEX CONCURRENTLY broken ON schema_migrations ((1))");
    setup(&database, &[])
        .exits(4)
        .says("index `public.broken` is invalid")
        .says("rebuild it with `REINDEX INDEX CONCURRENTLY public.broken`, or drop it");
    database.execute("DROP INDEX broken");
    setup(&database, &[]).succeeds();
    Passed
}

fn sqlx_own_lock_is_respected(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::Ecto);
    let url = database.url_text();
    database.with(async |connection| {
        connection.lock().await.unwrap();
        let run = tokio::task::spawn_blocking(move || migrations(&url, &["--lock-timeout", "1"])).await.unwrap();
        run.exits(1).says("gave up waiting for another migration").says("hint: wait for pid");
    });
    assert!(!database.truth("SELECT to_regclass('db_service.layout') IS NOT NULL"));
    migrations(&database.url_text(), &[]).succeeds();
    Passed
}

fn two_runs_wait_for_each_other(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::Ecto);
    let url = database.url_text();
    let runs: Vec<_> = (0..4)
        .map(|_| {
            let url = url.clone();
            std::thread::spawn(move || migrations(&url, &[]))
        })
        .collect();
    let applied =
        runs.into_iter().map(|run| run.join().unwrap().succeeds()).filter(|run| run.stderr.contains("Applied")).count();
    assert_eq!(applied, 1, "one of them does the work");
    Passed
}

fn the_environment_of_a_role_does_not_cut_a_migration_short(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::Ecto);
    let folder = tempfile::tempdir().unwrap();
    let copy = project_copy(folder.path());
    let slow = "-- requires-ecto: 20251005\n-- provides: db_service.slow\nCREATE TABLE db_service.slow ();\nSELECT pg_sleep(0.5);\n";
    fs::write(copy.join("migrations/900_slow.sql"), slow).unwrap();
    database.execute(&format!("ALTER DATABASE {} SET statement_timeout = '200ms'", database.name));
    let url = database.url_text();
    command::run(xtask_command(&copy, &["db-setup", "--database-url", &url]))
        .succeeds()
        .says("Applied migration `900_slow`");
    Passed
}
