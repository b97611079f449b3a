//! `migrations create-index`: on plain and partitioned tables, beside writers, cut off and finished.

use ::database::connection;
use sqlx::{AssertSqlSafe, Connection as _};

use crate::Verdict::{self, Passed};
use crate::command::{migrations, migrations_command};
use crate::database::{Database, Stage, wait};
use crate::server::TestServer;
use crate::twins::{assert_no_difference, partitioned, plain};
use crate::writers::Writers;

crate::tests![
    an_index_is_built_beside_writers,
    one_that_was_cut_off_is_finished,
    one_of_the_root_alone_is_completed,
    one_of_another_kind_is_refused,
    a_part_by_path_gets_it_as_well,
];

const CREATE: [&str; 5] = ["create-index", "--table", "code_files", "--columns", "updated_at"];
const NAME: &str = "code_files_updated_at_index";

fn insert(schema: &str, path: &str) -> String {
    format!(
        "INSERT INTO {schema}.code_files (repo_name, file_path, id, content, content_hash, size_bytes, inserted_at, updated_at)
         VALUES ('unknown', '{path}', 0, '', sha256('x'), 0, 'epoch', 'epoch')"
    )
}

/// Tables that have it, and whether each is valid.
fn built(database: &Database<'_>) -> String {
    database.text(&format!(
        "SELECT count(*) || ' ' || bool_and(indisvalid) FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid WHERE x.relname = '{NAME}'"
    ))
}

fn an_index_is_built_beside_writers(server: &TestServer) -> Verdict {
    let database = plain(server);
    let url = database.url_text();
    let writers = Writers::start(&database.url);
    migrations(&url, &CREATE).succeeds().says(&format!("Created index `{NAME}`"));
    assert_eq!(built(&database), "1 true");
    database.execute(&format!("DROP INDEX {NAME}"));
    // An index is built in a moment.
    writers.wait_for(21);
    assert!(writers.finish() > 20, "the writers had no turn");
    migrations(&url, &[]).succeeds();
    let planned = migrations(&url, &[&CREATE[..], &["--dry-run"]].concat()).exits(3).stdout;
    assert!(planned.contains("CREATE INDEX CONCURRENTLY"), "{planned}");
    // Who has written and not committed would stop a build that is not concurrent, and it would stop everybody else.
    database.with(async |connection| {
        let mut writer = connection.begin().await.unwrap();
        // In one leaf only: the root is locked for a moment first.
        let pending = "UPDATE leaf_16_5.code_files SET size_bytes = size_bytes";
        sqlx::raw_sql(pending).execute(&mut *writer).await.unwrap();
        let mut child = migrations_command(&url, &CREATE).spawn().unwrap();
        let mut other = connection::connect(&database.url).await.unwrap();
        wait(&mut other, "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'CREATE INDEX CONCURRENTLY%' AND wait_event_type = 'Lock')").await;
        for schema in ["public", "twin"] {
            sqlx::raw_sql(AssertSqlSafe(insert(schema, "meanwhile"))).execute(&mut other).await.unwrap();
        }
        connection::close(other).await;
        writer.rollback().await.unwrap();
        assert!(child.wait().unwrap().success());
    });
    assert_eq!(built(&database), "17 true");
    migrations(&url, &CREATE).succeeds().says(&format!("Unchanged index `{NAME}`"));
    // As Ecto finds it there.
    database.execute(&format!("CREATE INDEX IF NOT EXISTS {NAME} ON code_files (updated_at)"));
    assert_no_difference(&database, "after an index was built beside writers");
    Passed
}

fn one_that_was_cut_off_is_finished(server: &TestServer) -> Verdict {
    let database = partitioned(server);
    let url = database.url_text();
    database.with(async |connection| {
        // Stops the build in one leaf.
        let mut writer = connection.begin().await.unwrap();
        let pending = "UPDATE leaf_16_5.code_files SET size_bytes = size_bytes";
        sqlx::raw_sql(pending).execute(&mut *writer).await.unwrap();
        let mut child = migrations_command(&url, &CREATE).spawn().unwrap();
        let mut other = connection::connect(&database.url).await.unwrap();
        wait(&mut other, &format!("SELECT EXISTS (SELECT FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid WHERE x.relname = '{NAME}' AND indrelid = 'leaf_16_5.code_files'::regclass)")).await;
        child.kill().unwrap();
        child.wait().unwrap();
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'CREATE INDEX CONCURRENTLY%'";
        sqlx::raw_sql(end).execute(&mut other).await.unwrap();
        connection::close(other).await;
        writer.rollback().await.unwrap();
    });
    migrations(&url, &[]).exits(4).says("is invalid").says("`migrations create-index`");
    migrations(&url, &CREATE).succeeds().says("Created index");
    assert_eq!(built(&database), "17 true");
    migrations(&url, &["verify"]).succeeds();
    assert_no_difference(&database, "after an index was built");
    Passed
}

/// As Ecto's `only: true` makes it.
fn one_of_the_root_alone_is_completed(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    let url = database.url_text();
    database.execute(&format!("CREATE INDEX {NAME} ON ONLY code_files (updated_at)"));
    migrations(&url, &[]).exits(4).says(&format!("index `public.{NAME}` is not on all leaves"));
    migrations(&url, &["verify"]).exits(4).says(&format!("index `public.{NAME}` is not on all leaves"));
    migrations(&url, &CREATE).succeeds().says("Created index");
    migrations(&url, &["verify"]).succeeds();
    Passed
}

fn one_of_another_kind_is_refused(server: &TestServer) -> Verdict {
    let database = partitioned(server);
    let url = database.url_text();
    database.execute(&format!("CREATE INDEX {NAME} ON code_files (updated_at, id)"));
    migrations(&url, &CREATE).exits(4).says("is another one: it is USING btree (updated_at, id)");
    migrations(&url, &["create-index", "--table", "code_files", "--columns", "nothing"])
        .exits(1)
        .says("does not exist");
    migrations(&url, &["create-index", "--table", "code_files", "--columns", "size_bytes", "--unique"])
        .exits(1)
        .says("must include all partitioning columns");
    migrations(&url, &["create-index", "--table", "code_files", "--columns", "id", "--unique"])
        .exits(4)
        .says("it is USING btree (id), wanted is UNIQUE USING btree (id)");
    Passed
}

fn a_part_by_path_gets_it_as_well(server: &TestServer) -> Verdict {
    let database = partitioned(server);
    let url = database.url_text();
    database.execute(
        "UPDATE db_service.layout_policy SET leaf_rows = 100;
         INSERT INTO code_files (repo_name, file_path, content, content_hash, size_bytes)
         SELECT 'giant', 'file' || g, '', sha256('x'), 0 FROM generate_series(1, 2000) g; ANALYZE code_files",
    );
    migrations(&url, &["split", "--table", "code_files", "--by-path", "--yes"]).succeeds().says("split by path");
    migrations(&url, &CREATE).succeeds();
    let missing = format!(
        "SELECT count(*)::text FROM pg_partition_tree('code_files') t
         WHERE NOT EXISTS (SELECT FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid WHERE x.relname = '{NAME}' AND i.indrelid = t.relid AND indisvalid)"
    );
    assert_eq!(database.text(&missing), "0");
    Passed
}
