//! The second layer: Ecto's schema.

use std::fs;

use crate::Verdict::{self, Passed, Skipped};
use crate::command::{self, path_with, project_copy, stand_in_mix, xtask, xtask_command};
use crate::database::{Database, Stage};
use crate::server::{TestServer, project};

crate::tests![
    structure_sql_is_its_own_dump,
    a_loaded_ledger_holds_every_version,
    every_vector_column_has_an_hnsw_index,
    every_jsonb_column_has_a_gin_index,
    the_tables_that_grow_can_be_partitioned,
    a_database_that_is_not_empty_needs_mix,
    a_half_applied_load_cannot_be,
    another_tools_ledger_is_refused,
    a_version_without_a_file_is_refused,
    a_misnamed_file_is_refused,
    mix_is_called_with_the_url_in_ectos_form,
    mix_that_fails_is_reported_and_the_rerun_finishes,
    mix_that_does_nothing_is_found_out,
    a_release_can_take_the_place_of_mix,
    sessions_of_a_killed_migration_are_ended,
    real_mix_makes_what_structure_sql_says,
];

fn ecto(database: &Database<'_>, more: &[&str]) -> command::Run {
    let url = database.url_text();
    xtask(&[&["db-setup", "--layers", "bootstrap,ecto", "--database-url", &url], more].concat())
}

fn structure_sql_is_its_own_dump(server: &TestServer) -> Verdict {
    // Loaded without bootstrap, whose extensions are none of Ecto's.
    let database = Database::empty(server);
    xtask(&["db-setup", "--layers", "ecto", "--ecto", "load", "--database-url", &database.url_text()]).succeeds();
    let committed = fs::read_to_string(project().join("singularity_app/priv/repo/structure.sql")).unwrap();
    assert_eq!(database.dump(), committed);
    Passed
}

fn a_loaded_ledger_holds_every_version(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::Ecto);
    let versions = database.column("SELECT version::text FROM schema_migrations s ORDER BY s.version");
    assert_eq!(
        versions,
        ["20251005", "20251004222000", "20251005030000", "20251005030001", "20251005030002", "20251005030003"]
    );
    let tables = database.column("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY 1");
    assert_eq!(
        tables,
        [
            "code_files",
            "code_fingerprints",
            "embeddings",
            "framework_patterns",
            "llm_semantic_cache",
            "rag_performance_stats",
            "schema_migrations",
            "tool_knowledge"
        ]
    );
    Passed
}

fn every_vector_column_has_an_hnsw_index(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::Ecto);
    let columns = "FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.atttypid = 'public.vector'::regtype";
    assert!(database.column(&format!("SELECT a.attname::text {columns}")).len() >= 4);
    assert_eq!(database.column(&format!("SELECT DISTINCT a.atttypmod::text {columns}")), ["768"]);
    let without = format!(
        "SELECT c.relname || '.' || a.attname {columns} AND NOT EXISTS (SELECT 1 FROM pg_indexes i WHERE i.tablename = c.relname \
         AND i.indexdef LIKE '%USING hnsw (' || a.attname || ' %vector_cosine_ops) WITH (m=''16'', ef_construction=''64'')')"
    );
    assert_eq!(database.column(&without), Vec::<String>::new());
    Passed
}

fn every_jsonb_column_has_a_gin_index(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::Ecto);
    let without = "SELECT c.relname || '.' || a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid \
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.atttypid = 'jsonb'::regtype \
        AND NOT EXISTS (SELECT 1 FROM pg_indexes i WHERE i.tablename = c.relname AND i.indexdef LIKE '%USING gin (' || a.attname || '%')";
    assert_eq!(database.column(without), Vec::<String>::new());
    Passed
}

fn the_tables_that_grow_can_be_partitioned(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::Ecto);
    let keys = "SELECT conrelid::regclass::text || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'p' AND conrelid IN ('code_files'::regclass, 'embeddings'::regclass, 'rag_performance_stats'::regclass) ORDER BY 1";
    assert_eq!(
        database.column(keys),
        [
            "code_files PRIMARY KEY (repo_name, file_path)",
            "embeddings PRIMARY KEY (repo_name, path)",
            "rag_performance_stats PRIMARY KEY (id, inserted_at)"
        ]
    );
    let unique = "SELECT indexrelid::regclass::text FROM pg_index i WHERE indisunique AND indrelid IN ('code_files'::regclass, 'embeddings'::regclass) \
        AND NOT EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey) AND a.attname = 'repo_name')";
    assert_eq!(database.column(unique), Vec::<String>::new());
    let inbound = "SELECT conname::text FROM pg_constraint WHERE contype = 'f' AND confrelid IN ('code_files'::regclass, 'embeddings'::regclass)";
    assert_eq!(database.column(inbound), Vec::<String>::new());
    Passed
}

fn a_database_that_is_not_empty_needs_mix(server: &TestServer) -> Verdict {
    let database = Database::empty(server);
    database.execute("CREATE TABLE mine (id bigint)");
    ecto(&database, &["--ecto", "load"]).exits(1).says("it is not empty").says("hint: use `--ecto migrate`");
    let mut command = xtask_command(project(), &["db-setup", "--database-url", &database.url_text()]);
    command.env("PATH", "/nowhere");
    command::run(command).exits(1).says("mix is not on PATH").says("hint: install Elixir");
    assert_eq!(database.column("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'"), ["mine"]);
    Passed
}

fn a_half_applied_load_cannot_be(server: &TestServer) -> Verdict {
    let folder = tempfile::tempdir().unwrap();
    let copy = project_copy(folder.path());
    let structure = copy.join("singularity_app/priv/repo/structure.sql");
    let text = fs::read_to_string(&structure).unwrap();
    fs::write(&structure, format!("{text}\nSELECT 1 / 0;\n")).unwrap();
    let database = Database::empty(server);
    let url = database.url_text();
    let arguments = ["db-setup", "--ecto", "load", "--database-url", &url];
    command::run(xtask_command(&copy, &arguments)).exits(1).says("division by zero");
    assert!(!database.truth("SELECT to_regclass('public.code_files') IS NOT NULL"));
    xtask(&arguments).succeeds();
    Passed
}

fn another_tools_ledger_is_refused(server: &TestServer) -> Verdict {
    let database = Database::empty(server);
    database.execute("CREATE TABLE schema_migrations (version varchar(128) PRIMARY KEY)");
    ecto(&database, &["--ecto", "load"])
        .exits(4)
        .says("`public.schema_migrations` belongs to another tool: its column `version` is of type `character varying(128)`")
        .says("hint: ");
    Passed
}

fn a_version_without_a_file_is_refused(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::Ecto);
    database.execute("INSERT INTO schema_migrations VALUES (99990101000000)");
    ecto(&database, &[])
        .exits(4)
        .says("holds version 99990101000000, for which there is no file")
        .says("hint: the database is ahead");
    Passed
}

fn a_misnamed_file_is_refused(server: &TestServer) -> Verdict {
    let folder = tempfile::tempdir().unwrap();
    let copy = project_copy(folder.path());
    fs::write(copy.join("singularity_app/priv/repo/migrations/create_x.exs"), "").unwrap();
    let database = Database::absent(server);
    command::run(xtask_command(&copy, &["db-setup", "--database-url", &database.url_text()]))
        .exits(4)
        .says("file `create_x.exs` is not named `<version>_<name>.exs`, so Ecto would pass over it");
    Passed
}

/// What a stand-in for mix does in place of `mix ecto.migrate`: everything, by way of `structure.sql`.
fn migrating_stand_in(server: &TestServer, database: &Database<'_>) -> String {
    let mut psql = server.psql(&database.url);
    psql.args(["--quiet", "--file", "-"]);
    let program = std::iter::once(psql.get_program()).chain(psql.get_args());
    let words: Vec<String> = program.map(|word| format!("'{}'", word.to_string_lossy())).collect();
    let variables = psql
        .get_envs()
        .filter_map(|(name, value)| Some(format!("{}='{}' ", name.to_string_lossy(), value?.to_string_lossy())));
    format!(
        "{}{} <'{}'",
        variables.collect::<String>(),
        words.join(" "),
        project().join("singularity_app/priv/repo/structure.sql").display()
    )
}

fn mix_is_called_with_the_url_in_ectos_form(server: &TestServer) -> Verdict {
    let folder = tempfile::tempdir().unwrap();
    let copy = project_copy(folder.path());
    let database = Database::empty(server);
    let log = folder.path().join("log");
    let script = format!(
        "echo \"$PWD $* $DATABASE_URL $DATABASE_APPLICATION_NAME\" >>'{}'\ncase $1 in ecto.migrate) {} ;; esac",
        log.display(),
        migrating_stand_in(server, &database)
    );
    let bin = stand_in_mix(folder.path(), &script);
    let mut command = xtask_command(&copy, &["db-setup", "--database-url", &database.url_text()]);
    command.env("PATH", path_with(&bin));
    command::run(command).succeeds().says("Applied migration `20251005_add_rag_cache`");
    let app = copy.join("singularity_app").canonicalize().unwrap();
    let url = database.url_text().replacen("postgres://", "ecto://", 1);
    let calls: Vec<String> = fs::read_to_string(&log).unwrap().lines().map(str::to_owned).collect();
    let call = |arguments: &str| format!("{} {arguments} {url} singularity db-setup", app.display());
    // No mix.lock in the copy, so no dependencies to fetch.
    assert_eq!(calls, [call("compile"), call("ecto.migrate --no-compile --no-deps-check")]);

    let mut command = xtask_command(&copy, &["db-setup", "--database-url", &database.url_text()]);
    command.env("PATH", path_with(&bin));
    command::run(command).succeeds();
    assert_eq!(fs::read_to_string(&log).unwrap().lines().count(), 2, "with nothing to do, mix is not started");
    Passed
}

fn mix_that_fails_is_reported_and_the_rerun_finishes(server: &TestServer) -> Verdict {
    let folder = tempfile::tempdir().unwrap();
    let copy = project_copy(folder.path());
    let database = Database::empty(server);
    let marker = folder.path().join("failed");
    let script = format!(
        "case $1 in ecto.migrate) if [ -e '{0}' ]; then {1}; else touch '{0}'; echo \"** (DBConnection.ConnectionError) $DATABASE_URL {2}\"; exit 1; fi ;; esac",
        marker.display(),
        migrating_stand_in(server, &database),
        crate::server::PASSWORD
    );
    let bin = stand_in_mix(folder.path(), &script);
    let run = || {
        let mut command = xtask_command(&copy, &["db-setup", "--database-url", &database.url_text()]);
        command.env("PATH", path_with(&bin));
        // Asserts that the password, which the stand-in has shouted, is not shown.
        command::run(command)
    };
    run()
        .exits(1)
        .says("| ** (DBConnection.ConnectionError) ecto://postgres:***@")
        .says(&format!("error: cannot migrate database `{}` with Ecto", database.name))
        .says("`mix ecto.migrate --no-compile --no-deps-check` failed: exit status: 1")
        .says("hint: its output above says why");
    run().succeeds().says("Applied migration `002_rag_optimizations`");
    Passed
}

fn mix_that_does_nothing_is_found_out(server: &TestServer) -> Verdict {
    let folder = tempfile::tempdir().unwrap();
    let copy = project_copy(folder.path());
    let bin = stand_in_mix(folder.path(), "exit 0");
    let database = Database::empty(server);
    let mut command = xtask_command(&copy, &["db-setup", "--database-url", &database.url_text()]);
    command.env("PATH", path_with(&bin));
    command::run(command)
        .exits(1)
        .says("`mix ecto.migrate` succeeded, yet Ecto migration `20251005_add_rag_cache` is still pending");
    Passed
}

fn a_release_can_take_the_place_of_mix(server: &TestServer) -> Verdict {
    let database = Database::empty(server);
    let command = format!("test -n \"$DATABASE_URL\" && {}", migrating_stand_in(server, &database));
    ecto(&database, &["--ecto-command", &command]).succeeds().says("Applied migration `20251005_add_rag_cache`");
    Passed
}

fn sessions_of_a_killed_migration_are_ended(server: &TestServer) -> Verdict {
    let database = Database::empty(server);
    let orphan = database.url.for_sqlx().application_name("singularity db-setup");
    let command = migrating_stand_in(server, &database);
    command::block_on(async {
        use sqlx::Connection as _;
        let mut orphan = sqlx::PgConnection::connect_with(&orphan).await.unwrap();
        let url = database.url_text();
        let run = tokio::task::spawn_blocking(move || {
            xtask(&["db-setup", "--layers", "bootstrap,ecto", "--database-url", &url, "--ecto-command", &command])
        });
        run.await.unwrap().succeeds();
        assert!(orphan.ping().await.is_err(), "the session is still there");
    });
    Passed
}

fn real_mix_makes_what_structure_sql_says(server: &TestServer) -> Verdict {
    let mix = std::process::Command::new("mix").arg("--version").output();
    if !mix.is_ok_and(|output| output.status.success()) {
        return Skipped("mix is not installed".into());
    }
    // A copy of the project whose Hex packages come from elsewhere, for machines that cannot reach hex.pm.
    let root = std::env::var_os("TEST_MIX_PROJECT").map_or_else(|| project().to_owned(), Into::into);
    let bare = Database::empty(server);
    let ecto_alone = ["db-setup", "--layers", "ecto", "--ecto", "migrate", "--database-url", &bare.url_text()];
    command::run(xtask_command(&root, &ecto_alone)).succeeds();
    let committed = fs::read_to_string(project().join("singularity_app/priv/repo/structure.sql")).unwrap();
    assert_eq!(bare.dump(), committed);

    let database = Database::absent(server);
    let url = database.url_text();
    let arguments = ["db-setup", "--ecto", "migrate", "--database-url", &url];
    command::run(xtask_command(&root, &arguments)).succeeds();
    let loaded = Database::at(server, Stage::All);
    assert_eq!(database.dump(), loaded.dump());
    command::run(xtask_command(&root, &arguments)).succeeds().says("Unchanged Ecto");
    Passed
}
