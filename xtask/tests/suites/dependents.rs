//! What hangs on a table: it follows the table into its new form, or is named beforehand.

use ::database::quote;

use crate::Verdict::{self, Passed};
use crate::command::migrations;
use crate::database::{Database, Stage};
use crate::server::TestServer;
use crate::twins::{PARTITIONED, leaves, plain};

crate::tests![
    what_was_made_from_the_table_follows_it,
    errors_name_the_index_that_ecto_expects,
    everything_that_stands_against_it_is_said_at_once,
    a_trigger_on_one_leaf_is_not_lost,
];

fn what_was_made_from_the_table_follows_it(server: &TestServer) -> Verdict {
    let database = plain(server);
    let role = quote::identifier(&format!("reader of {}", database.name));
    database.execute(&format!(
        "CREATE ROLE {role};
         GRANT SELECT ON code_files TO {role}; GRANT UPDATE (content) ON code_files TO {role} WITH GRANT OPTION;
         COMMENT ON INDEX code_files_language_index IS 'by language';
         ALTER TABLE code_files ALTER COLUMN language SET STATISTICS 500;
         CREATE VIEW files WITH (security_barrier = true) AS SELECT repo_name, count(*) AS n FROM code_files GROUP BY 1;
         CREATE VIEW largest AS SELECT * FROM files ORDER BY n DESC;
         CREATE FUNCTION number_of_files() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM code_files; END;
         CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.updated_at := now(); RETURN NEW; END $$;
         CREATE TRIGGER touch BEFORE UPDATE ON code_files FOR EACH ROW EXECUTE FUNCTION touch();
         ALTER TABLE code_files DISABLE TRIGGER touch;
         CREATE PUBLICATION p FOR TABLE code_files WITH (publish_via_partition_root = true)"
    ));
    let logical = "SELECT (to_jsonb(array_agg(g ORDER BY g)))::text FROM (SELECT grantee || privilege_type || is_grantable FROM information_schema.role_column_grants WHERE table_schema = 'public' AND table_name = 'code_files') g (g)";
    let (before, grants) = (database.dump(), database.text(logical));
    migrations(&database.url_text(), &[]).succeeds();
    assert_eq!(leaves(&database), PARTITIONED);
    database.execute("DELETE FROM code_files WHERE file_path <> 'file1'; UPDATE code_files SET size_bytes = 7");
    assert_eq!(database.text("SELECT n::text FROM largest"), "1", "the view reads the new table");
    assert_eq!(database.text("SELECT number_of_files()::text"), "1", "the function reads the new table");
    assert_eq!(database.text("SELECT updated_at::date::text FROM code_files"), "1970-01-01", "the trigger is disabled");
    assert_eq!(database.text(logical), grants);
    assert_eq!(database.text("SELECT obj_description('public.code_files_language_index'::regclass)"), "by language");
    assert_eq!(database.text("SELECT prrelid::regclass::text FROM pg_publication_rel"), "code_files");
    assert_eq!(database.text("SELECT pg_get_serial_sequence('public.code_files', 'id')"), "public.code_files_id_seq");
    migrations(&database.url_text(), &["revert", "--yes"]).succeeds();
    database.execute("DROP SCHEMA db_service CASCADE");
    assert_eq!(database.dump(), before);
    database.execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
    Passed
}

fn errors_name_the_index_that_ecto_expects(server: &TestServer) -> Verdict {
    let database = plain(server);
    migrations(&database.url_text(), &[]).succeeds();
    let insert = "INSERT INTO code_files (repo_name, file_path, content, content_hash, size_bytes) VALUES ('repo1', 'file1', '', sha256('x'), 0)";
    let error = database.with(async |connection| sqlx::raw_sql(insert).execute(connection).await).unwrap_err();
    assert_eq!(error.as_database_error().unwrap().constraint(), Some("code_files_pkey"));
    // What `Repo.insert(on_conflict: :replace_all, conflict_target: [:repo_name, :file_path])` and `Repo.get` send.
    database.execute(&format!("{insert} ON CONFLICT (repo_name, file_path) DO UPDATE SET content = EXCLUDED.content, repo_name = EXCLUDED.repo_name"));
    assert_eq!(database.column("SELECT c0.file_path FROM code_files AS c0 WHERE c0.id = 2"), ["file2"]);
    Passed
}

fn everything_that_stands_against_it_is_said_at_once(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::Ecto);
    database.execute(
        "CREATE UNIQUE INDEX lonely ON code_files (id); CREATE TABLE child (id bigint REFERENCES code_files (id));
         ALTER TABLE code_files CLUSTER ON code_files_pkey; ALTER TABLE code_files SET (fillfactor = 70);
         CREATE MATERIALIZED VIEW summary AS SELECT count(*) FROM code_files",
    );
    let before = database.dump();
    migrations(&database.url_text(), &[])
        .exits(4)
        .says("its unique index `lonely` lacks `repo_name`")
        .says("it is referenced by the foreign key child_id_fkey of child")
        .says("it is marked to be clustered on `code_files_pkey`")
        .says("it has storage parameters")
        .says("materialized view summary depends on it and cannot be made anew")
        .says("hint: nothing was touched");
    // Nothing stands against the other table.
    assert_eq!(leaves(&database), "embeddings 16");
    migrations(&database.url_text(), &["revert", "--yes"]).succeeds();
    database.execute("DROP SCHEMA db_service CASCADE");
    assert_eq!(database.dump(), before);
    Passed
}

/// Of the leaves that take its place nobody knows which it is meant for.
fn a_trigger_on_one_leaf_is_not_lost(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    let url = database.url_text();
    database.execute(
        "CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
         CREATE TRIGGER noted AFTER INSERT ON leaf_16_5.code_files FOR EACH ROW EXECUTE FUNCTION noted()",
    );
    let said = "trigger `noted` is on its leaf `leaf_16_5.code_files` alone";
    let merge = |leaf: &'static str| ["merge", "--table", "code_files", "--leaf", leaf, "--yes"];
    migrations(&url, &["revert", "--yes"]).exits(4).says(said);
    migrations(&url, &merge("8/5")).exits(4).says(said);
    migrations(&url, &["verify"]).succeeds().says(said);
    migrations(&url, &merge("8/4")).succeeds();
    database.execute("DROP TRIGGER noted ON leaf_16_5.code_files");
    migrations(&url, &merge("8/5")).succeeds();
    Passed
}
