//! Single leaves of live tables: split, merged, split by path.

use crate::Verdict::{self, Passed};
use crate::command::migrations;
use crate::database::Database;
use crate::role::Role;
use crate::server::TestServer;
use crate::twins::{assert_no_difference, leaves, partitioned, plain, plain_of};
use crate::writers::{Writers, killed_in, killed_in_every_phase};

crate::tests![
    leaves_are_split_and_merged_under_writers,
    a_giant_repository_is_split_by_path_under_writers,
    a_kill_in_any_phase_of_a_split_loses_nothing,
    the_hottest_leaf_is_found_by_the_policy,
    a_leaf_is_attached_without_reading_its_rows,
    a_job_that_leads_elsewhere_is_given_up,
    settings_of_the_role_do_not_cut_it_short,
    routing_is_computed_as_the_server_does,
];

/// Where a leaf's rows are, by the schemas of the tables that hold them.
fn schemas(database: &Database<'_>, table: &str, pattern: &str) -> Vec<String> {
    database.column(&format!(
        "SELECT relnamespace::regnamespace::text FROM pg_partition_tree('{table}') t JOIN pg_class c ON c.oid = t.relid
         WHERE isleaf AND relnamespace::regnamespace::text ~ '{pattern}' ORDER BY 1"
    ))
}

/// The names of the indexes in every leaf, told once if they are the same everywhere.
fn index_names(database: &Database<'_>, table: &str) -> Vec<String> {
    database.column(&format!(
        "SELECT DISTINCT (SELECT string_agg(x.relname, ' ' ORDER BY x.relname COLLATE \"C\") FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
                          WHERE i.indrelid = t.relid AND i.indisvalid)
         FROM pg_partition_tree('{table}') t"
    ))
}

/// The leaf with most repositories, as the command line takes it.
fn hottest(database: &Database<'_>) -> String {
    database.text(
        "SELECT modulus || '/' || remainder
         FROM (SELECT tableoid AS leaf, count(DISTINCT repo_name) AS n FROM code_files GROUP BY 1) f
         JOIN db_service.partition_stats s ON s.table_name = 'code_files' AND format('%I.code_files', s.leaf_schema)::regclass = leaf
         ORDER BY n DESC LIMIT 1",
    )
}

fn leaves_are_split_and_merged_under_writers(server: &TestServer) -> Verdict {
    let database = partitioned(server);
    let url = database.url_text();
    let undisturbed = database.dump();
    let hottest = hottest(&database);
    let writers = Writers::start(&database.url);
    migrations(&url, &["split", "--table", "code_files", "--leaf", &hottest, "--yes"])
        .succeeds()
        .says("writers blocked");
    migrations(&url, &["split", "--table", "embeddings", "--leaf", &hottest, "--yes"]).succeeds();
    assert!(schemas(&database, "code_files", "^leaf_(32|64|128)_").len() > 1);
    assert_eq!(index_names(&database, "code_files").len(), 1, "every leaf has the indexes of the table, by name");
    migrations(&url, &["merge", "--table", "code_files", "--leaf", &hottest, "--yes"]).succeeds();
    migrations(&url, &["merge", "--table", "embeddings", "--leaf", "2/1", "--yes"]).succeeds();
    assert_eq!(schemas(&database, "embeddings", "^leaf_2_1$"), ["leaf_2_1"]);
    migrations(&url, &["split", "--table", "embeddings", "--leaf", "2/1", "--dry-run"]).exits(3);
    assert!(writers.finish() > 50, "the writers had no turn");
    assert_no_difference(&database, "after splits and merges");
    assert_eq!(leaves(&database), "code_files 16, embeddings 9");
    migrations(&url, &["verify"]).succeeds();
    database.execute("DELETE FROM db_service.layout_leaf; TRUNCATE db_service.relayout_job RESTART IDENTITY CASCADE");
    migrations(&url, &[]).succeeds();
    assert_no_difference(&database, "with sixteen leaves again");
    assert_eq!(database.dump(), undisturbed);
    Passed
}

fn a_giant_repository_is_split_by_path_under_writers(server: &TestServer) -> Verdict {
    let database = plain(server);
    let url = database.url_text();
    for schema in ["public", "twin"] {
        database.execute(&format!(
            "INSERT INTO {schema}.code_files (repo_name, file_path, id, content, content_hash, size_bytes, inserted_at, updated_at)
             SELECT 'repo7', 'giant' || g, 100000 + g, '', sha256(g::text::bytea), 0, 'epoch', 'epoch' FROM generate_series(1, 3000) g"
        ));
    }
    migrations(&url, &[]).succeeds();
    database.execute("UPDATE db_service.layout_policy SET leaf_rows = 1000; ANALYZE");
    let leaf = database.text(
        "SELECT modulus || '/' || remainder FROM db_service.partition_plan WHERE table_name = 'code_files' AND to_split",
    );
    migrations(&url, &["split", "--yes"])
        .succeeds()
        .says(&format!("leaf {leaf} "))
        .says("is not splittable by repository: `repo7` is")
        .says("split it by path, with `--by-path`");
    assert_eq!(leaves(&database), "code_files 16, embeddings 16");
    let writers = Writers::start(&database.url);
    migrations(&url, &["split", "--by-path", "--yes"]).succeeds().says("1 of them split by path");
    assert!(schemas(&database, "code_files", "_paths_4_[0-3]$").len() == 4);
    assert_eq!(index_names(&database, "code_files").len(), 1, "parts by path have the indexes of the table, by name");
    migrations(&url, &["split", "--by-path", "--yes"]).succeeds().says_nothing_to_do();
    migrations(&url, &["revert", "--table", "code_files", "--yes"]).succeeds();
    migrations(&url, &["--json"]).succeeds();
    assert!(writers.finish() > 50, "the writers had no turn");
    assert_no_difference(&database, "after a split by path and the way back");
    assert_eq!(leaves(&database), "embeddings 16");
    migrations(&url, &["verify"]).succeeds();
    Passed
}

fn a_kill_in_any_phase_of_a_split_loses_nothing(server: &TestServer) -> Verdict {
    let role = Role::new(server);
    let database = plain_of(server, &role);
    let url = database.runner_text();
    migrations(&url, &[]).succeeds();
    let leaf = hottest(&database);
    let schema = format!("^leaf_{}$", leaf.replace('/', "_"));
    let writers = Writers::start(&database.url);
    for turn in ["split", "merge"] {
        killed_in_every_phase(&database, &[turn, "--table", "code_files", "--leaf", &leaf, "--yes"], 1);
        migrations(&url, &[]).succeeds();
        assert_eq!(schemas(&database, "code_files", &schema).len(), usize::from(turn == "merge"), "{turn}");
        assert_no_difference(&database, &format!("{turn}, killed in every phase"));
        migrations(&url, &["verify"]).succeeds();
    }
    writers.finish();
    assert_no_difference(&database, "at the end");
    Passed
}

fn the_hottest_leaf_is_found_by_the_policy(server: &TestServer) -> Verdict {
    let database = partitioned(server);
    let url = database.url_text();
    migrations(&url, &["split", "--dry-run"]).succeeds().says_nothing_to_do();
    database.execute("UPDATE db_service.layout_policy SET leaf_rows = 100 WHERE table_name = 'code_files'; ANALYZE");
    migrations(&url, &["split", "--dry-run"]).exits(3).says("Pending layout `code_files` leaf 16/");
    migrations(&url, &["split"]).exits(2).says("pass `--yes`");
    migrations(&url, &["split", "--table", "code_files", "--leaf", "32/1", "--yes"])
        .exits(2)
        .says("table `code_files` has no leaf `32/1`");
    migrations(&url, &["split", "--leaf", "16/1"]).exits(2).says("--table");
    migrations(&url, &["merge", "--table", "code_files", "--leaf", "12/1"]).exits(2).says("a power of two");
    migrations(&url, &["merge", "--table", "code_files", "--leaf", "16/1", "--yes"])
        .exits(2)
        .says("nothing to merge into leaf `16/1`");
    let json = migrations(&url, &["split", "--yes", "--json"]).succeeds().json();
    assert_eq!(json["command"], "migrations split");
    migrations(&url, &["split", "--dry-run"]).succeeds();
    database.execute("UPDATE db_service.layout_policy SET most_leaves = 16 WHERE table_name = 'embeddings'");
    migrations(&url, &["split", "--table", "embeddings", "--leaf", "16/1", "--yes"])
        .succeeds()
        .says("the table has as many leaves as it may");
    assert_no_difference(&database, "after the policy's splits");
    Passed
}

/// Reading them would take its time under the lock. The server counts what it reads.
fn a_leaf_is_attached_without_reading_its_rows(server: &TestServer) -> Verdict {
    let database = partitioned(server);
    let url = database.url_text();
    killed_in(&database, &["merge", "--table", "code_files", "--leaf", "8/3", "--yes"], "catching_up", true);
    let attach = |constraint: &str| {
        database.with(async |connection| {
            use sqlx::Connection as _;
            let read = "SELECT pg_stat_get_xact_tuples_returned('leaf_8_3.code_files'::regclass)";
            let mut transaction = connection.begin().await.unwrap();
            let statements = format!(
                "{constraint}; ALTER TABLE public.code_files DETACH PARTITION leaf_16_3.code_files;
                 ALTER TABLE public.code_files DETACH PARTITION leaf_16_11.code_files;
                 ALTER TABLE db_service_new.code_files DETACH PARTITION leaf_8_3.code_files;
                 ALTER TABLE public.code_files ATTACH PARTITION leaf_8_3.code_files FOR VALUES WITH (MODULUS 8, REMAINDER 3)"
            );
            sqlx::raw_sql(sqlx::AssertSqlSafe(statements)).execute(&mut *transaction).await.unwrap();
            sqlx::query_scalar::<_, i64>(read).fetch_one(&mut *transaction).await.unwrap()
        })
    };
    assert_eq!(attach("SELECT 1"), 0, "rows were read under the lock");
    let without = attach("ALTER TABLE leaf_8_3.code_files DROP CONSTRAINT singularity_relayout_fits");
    assert!(without > 0, "this test would not notice");
    migrations(&url, &[]).succeeds();
    assert_no_difference(&database, "after the merge");
    Passed
}

fn a_job_that_leads_elsewhere_is_given_up(server: &TestServer) -> Verdict {
    let database = partitioned(server);
    let url = database.url_text();
    killed_in(&database, &["revert", "--table", "embeddings", "--yes"], "indexing", true);
    migrations(&url, &["plan"]).exits(3);
    // The layout that is wanted by now is the one that the table still has.
    database.execute("UPDATE db_service.layout SET leaves = 16");
    migrations(&url, &[]).succeeds();
    assert_eq!(database.column("SELECT phase FROM db_service.relayout_job ORDER BY id DESC LIMIT 1"), ["abandoned"]);
    assert_eq!(leaves(&database), "code_files 16, embeddings 16");
    assert_no_difference(&database, "after a job was given up");
    migrations(&url, &["verify"]).succeeds();
    Passed
}

fn settings_of_the_role_do_not_cut_it_short(server: &TestServer) -> Verdict {
    let database = plain(server);
    let name = ::database::quote::identifier(&database.name);
    database.execute(&format!(
        "ALTER DATABASE {name} SET statement_timeout = '30ms'; ALTER DATABASE {name} SET idle_in_transaction_session_timeout = '30ms';
         ALTER DATABASE {name} SET lock_timeout = '5ms'; ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'"
    ));
    migrations(&database.url_text(), &[]).succeeds();
    database.execute(&format!("ALTER DATABASE {name} RESET ALL"));
    assert_no_difference(&database, "with a statement_timeout of 30 ms");
    Passed
}

/// The planner never asks the server where a repository goes.
fn routing_is_computed_as_the_server_does(server: &TestServer) -> Verdict {
    let database = partitioned(server);
    let url = database.url_text();
    migrations(&url, &["merge", "--table", "code_files", "--leaf", "2/0", "--yes"]).succeeds();
    database.execute("UPDATE db_service.layout_policy SET leaf_rows = 150, most_leaves = 512");
    let planned = migrations(&url, &["split", "--table", "code_files", "--leaf", "2/0", "--dry-run"]).exits(3);
    migrations(&url, &["split", "--table", "code_files", "--leaf", "2/0", "--yes"]).succeeds();
    let modulus: u32 = database
        .text("SELECT max(modulus)::text FROM db_service.partition_stats WHERE table_name = 'code_files'")
        .parse()
        .unwrap();
    assert!(planned.stderr.contains(&format!("{modulus}/0")), "{}", planned.stderr);
    // Forty repositories of 75 rows: no leaf of the finest split holds more than the policy says unless one more split
    // would not have helped either.
    let largest = database.text("SELECT max(n)::text FROM (SELECT count(*) AS n FROM code_files WHERE tableoid::regclass::text ~ '_(64|128|256|512)_' GROUP BY tableoid) c");
    assert!(largest.parse::<u32>().unwrap() <= 150, "{largest} rows in one leaf of modulus {modulus}");
    Passed
}
