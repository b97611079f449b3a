//! The layer as roles run it that own little, and what they find afterwards; and what is made while a job is on its way.

use ::database::connection;
use sqlx::Connection as _;

use crate::Verdict::{self, Passed};
use crate::command::migrations;
use crate::database::{Database, Stage, wait};
use crate::role::{self, Role};
use crate::server::TestServer;
use crate::situations::dump;
use crate::twins::{PARTITIONED, leaves, plain};
use crate::writers::killed_in;

crate::tests![
    a_member_of_the_owner_runs_it,
    the_owner_can_go_on_after_a_superuser,
    a_schema_of_somebody_elses_is_left_alone,
    a_schema_that_an_older_version_made_is_dropped,
    what_is_made_from_a_table_meanwhile_is_named,
    a_new_form_that_would_differ_is_never_seen,
    verify_and_revert_ask_for_no_complete_ledger,
    what_needs_the_layer_says_so,
    an_index_that_another_role_is_building_is_not_called_invalid,
];

fn a_member_of_the_owner_runs_it(server: &TestServer) -> Verdict {
    let (owner, member) = (Role::new(server), Role::new(server));
    let database = plain(server);
    role::give_all(&database, &owner.name);
    database.execute(&format!("GRANT {} TO {}", owner.name, member.name));
    let before = dump(&database);
    migrations(&member.url(&database), &[]).succeeds();
    assert_eq!(leaves(&database), PARTITIONED);
    migrations(&member.url(&database), &["revert", "--yes"]).succeeds();
    assert_eq!(dump(&database), before);
    Passed
}

fn the_owner_can_go_on_after_a_superuser(server: &TestServer) -> Verdict {
    let owner = Role::new(server);
    let database = plain(server);
    role::give_all(&database, &owner.name);
    migrations(&database.url_text(), &[]).succeeds();
    let as_owner = Database::with_url(server, &database.name, &owner.url(&database));
    as_owner.execute("CREATE INDEX code_files_size ON code_files (size_bytes); DROP INDEX code_files_size");
    as_owner.execute("ALTER TABLE code_files ADD added text; ALTER TABLE code_files DROP added");
    assert!(as_owner.pg_dump(&["--schema=public", "--schema=leaf_*", "--data-only"]).contains("file1"));
    Passed
}

fn a_schema_of_somebody_elses_is_left_alone(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::Ecto);
    let url = database.url_text();
    database.execute("CREATE SCHEMA leaf_3_1; CREATE SCHEMA leaf_16_3; CREATE SCHEMA db_service_new");
    let before = dump(&database);
    migrations(&url, &[]).succeeds();
    migrations(&url, &["revert", "--yes"]).succeeds();
    let left = "SELECT nspname::text FROM pg_namespace WHERE nspname ~ '^leaf|^db_service_' ORDER BY 1";
    assert_eq!(database.column(left), ["db_service_new", "leaf_16_3", "leaf_3_1"]);
    assert_eq!(dump(&database), before);
    Passed
}

/// It has left no mark, and noted less of the table in the journal.
fn a_schema_that_an_older_version_made_is_dropped(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    let url = database.url_text();
    database.execute("UPDATE db_service.layout SET leaves = 32 WHERE table_name = 'embeddings'");
    migrations(&url, &["--yes"]).succeeds();
    database.execute(
        "DO $$ DECLARE s name; BEGIN
             FOR s IN SELECT nspname FROM pg_namespace WHERE nspname LIKE 'leaf%' LOOP
                 EXECUTE format('COMMENT ON SCHEMA %I IS NULL', s);
             END LOOP;
         END $$;
         UPDATE db_service.relayout_job SET definition = definition - 'is_subscribed';
         CREATE SCHEMA leaf_3_1; CREATE SCHEMA leaf_32_1_paths; CREATE SCHEMA leaf_16_3_by_hand;
         COMMENT ON SCHEMA leaf_16_3 IS 'of somebody else by now'",
    );
    migrations(&url, &["revert", "--yes"]).succeeds();
    let left = "SELECT nspname::text FROM pg_namespace WHERE nspname LIKE 'leaf%' ORDER BY 1";
    assert_eq!(database.column(left), ["leaf_16_3", "leaf_16_3_by_hand", "leaf_32_1_paths", "leaf_3_1"]);
    Passed
}

fn what_is_made_from_a_table_meanwhile_is_named(server: &TestServer) -> Verdict {
    let database = plain(server);
    let url = database.url_text();
    killed_in_first(&database, "indexing");
    database.execute("CREATE MATERIALIZED VIEW summary AS SELECT count(*) FROM code_files");
    migrations(&url, &[]).exits(4).says("materialized view summary depends on it and cannot be made anew");
    assert_eq!(database.text("SELECT count(*)::text FROM code_files"), "3000");
    database.execute("DROP MATERIALIZED VIEW summary");
    migrations(&url, &[]).succeeds();
    assert_eq!(leaves(&database), PARTITIONED);
    Passed
}

/// Somebody changes the new form itself, so that it would not be what the table is.
fn a_new_form_that_would_differ_is_never_seen(server: &TestServer) -> Verdict {
    let database = plain(server);
    let url = database.url_text();
    // Without the key by which it keeps psql from running commands, another one each time.
    let dump = || {
        let text = database.pg_dump(&["--schema=public", "--schema-only"]);
        text.lines().filter(|line| !line.starts_with('\\')).collect::<Vec<_>>().join("\n")
    };
    let before = dump();
    killed_in_first(&database, "indexing");
    database.execute(
        "GRANT SELECT ON db_service_new.code_files TO PUBLIC; COMMENT ON COLUMN db_service_new.code_files.id IS 'x'",
    );
    migrations(&url, &[]).exits(4).says("its new form would differ: grants").says("its new form would differ: columns");
    assert_eq!(leaves(&database), "embeddings 16", "the other table is none of its business");
    migrations(&url, &["revert", "--yes"]).succeeds();
    assert_eq!(dump(), before);
    // From the start.
    migrations(&url, &["--yes"]).succeeds();
    database.execute("UPDATE db_service.layout SET leaves = 16");
    migrations(&url, &["--yes"]).succeeds();
    assert_eq!(leaves(&database), PARTITIONED);
    Passed
}

/// A job for the first table that is killed in a phase.
fn killed_in_first(database: &Database<'_>, phase: &str) {
    let url = database.url_text();
    migrations(&url, &[]).succeeds();
    migrations(&url, &["revert", "--yes"]).succeeds();
    database.execute("UPDATE db_service.layout SET leaves = 16");
    killed_in(database, &[], phase, true);
}

fn verify_and_revert_ask_for_no_complete_ledger(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    let url = database.url_text();
    database.execute("DELETE FROM schema_migrations WHERE version = 20251005030003");
    migrations(&url, &[]).exits(4).says("Ecto migration(s) are pending");
    migrations(&url, &["verify"]).succeeds();
    migrations(&url, &["split"]).exits(4).says("Ecto migration(s) are pending");
    migrations(&url, &["revert", "--yes"]).succeeds();
    assert_eq!(leaves(&database), "");
    Passed
}

fn what_needs_the_layer_says_so(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::Ecto);
    for command in
        [&["verify"][..], &["split"], &["merge", "--table", "code_files", "--leaf", "8/1"], &["revert", "--yes"]]
    {
        migrations(&database.url_text(), command)
            .exits(4)
            .says("does not have the performance layer")
            .says("hint: nothing was changed; run `migrations` without a command first");
    }
    Passed
}

/// The server does not tell what others are building.
fn an_index_that_another_role_is_building_is_not_called_invalid(server: &TestServer) -> Verdict {
    let role = Role::new(server);
    let database = Database::at(server, Stage::Ecto);
    role::give_all(&database, &role.name);
    let url = role.url(&database);
    database.with(async |connection| {
        let mut writer = connection.begin().await.unwrap();
        sqlx::raw_sql("LOCK TABLE tool_knowledge IN ROW EXCLUSIVE MODE").execute(&mut *writer).await.unwrap();
        let mut builder = connection::connect(&database.url).await.unwrap();
        let mut other = connection::connect(&database.url).await.unwrap();
        let build = sqlx::raw_sql("CREATE INDEX CONCURRENTLY slow ON tool_knowledge (id)").execute(&mut builder);
        let meanwhile = async {
            wait(&mut other, "SELECT EXISTS (SELECT FROM pg_index WHERE NOT indisvalid)").await;
            let url = url.clone();
            let run = tokio::task::spawn_blocking(move || migrations(&url, &[])).await.unwrap();
            writer.rollback().await.unwrap();
            run
        };
        let (outcome, run) = tokio::join!(build, meanwhile);
        outcome.unwrap();
        run.succeeds();
        connection::close(builder).await;
        connection::close(other).await;
    });
    Passed
}
