//! Versions of repositories: every change is noted, whoever makes it and wherever; nobody waits for anybody.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::Verdict::{self, Passed};
use crate::command::{migrations_command, run};
use crate::database::{Database, Stage};
use crate::role::Role;
use crate::server::TestServer;

crate::tests![
    every_way_of_writing_changes_the_versions_concerned,
    a_write_straight_to_a_leaf_changes_them_too,
    writers_of_one_repository_do_not_wait_for_each_other,
    no_two_states_share_a_value,
    folding_changes_no_version,
    a_role_without_rights_in_the_layer_can_write,
    a_migration_of_the_marks_lets_writers_pass,
];

/// A row of `code_files`.
pub(crate) fn row(repository: &str, path: &str) -> String {
    format!("('{repository}', '{path}', '', sha256('x'), 0)")
}

pub(crate) const INSERT: &str =
    "INSERT INTO code_files (repo_name, file_path, content, content_hash, size_bytes) VALUES";

/// The versions of three repositories, and of all.
pub(crate) const VERSIONS: &str = "SELECT COALESCE(v::text, 'none') FROM (SELECT db_service.version_of(r) AS v FROM unnest('{a,b,c}'::text[]) WITH ORDINALITY u (r, n) ORDER BY n) s
                        UNION ALL SELECT COALESCE(db_service.version_of_all()::text, 'none')";

/// Which of `a`, `b`, `c` and all have another version after a statement.
#[track_caller]
fn changed_by(database: &Database<'_>, statement: &str) -> String {
    let before = database.column(VERSIONS);
    database.execute(statement);
    let after = database.column(VERSIONS);
    let changed =
        ["a", "b", "c", "all"].into_iter().zip(before.iter().zip(&after)).filter(|(_, (old, new))| old != new);
    changed.map(|(name, _)| name).collect::<Vec<_>>().join(" ")
}

fn every_way_of_writing_changes_the_versions_concerned(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    let (a1, a2, b1) = (row("a", "1"), row("a", "2"), row("b", "1"));
    for (statement, changed) in [
        (format!("{INSERT} {a1}"), "a all"),
        (format!("{INSERT} {a2}, {b1}"), "a b all"),
        ("UPDATE code_files SET content = 'x' WHERE repo_name = 'b'".into(), "b all"),
        ("UPDATE code_files SET repo_name = 'c' WHERE file_path = '2'".into(), "a c all"),
        ("UPDATE code_files SET content = 'y' WHERE repo_name = 'nobody'".into(), ""),
        (format!("{INSERT} {a1} ON CONFLICT (repo_name, file_path) DO UPDATE SET content = 'z'"), "a all"),
        (format!("{INSERT} {a1} ON CONFLICT DO NOTHING"), ""),
        (
            "MERGE INTO code_files f USING (VALUES ('a', '1'), ('b', '7')) s (r, p) ON f.repo_name = s.r AND f.file_path = s.p
             WHEN MATCHED THEN DELETE
             WHEN NOT MATCHED THEN INSERT (repo_name, file_path, content, content_hash, size_bytes) VALUES (r, p, '', sha256('x'), 0)"
                .into(),
            "a b all",
        ),
        (
            "INSERT INTO embeddings (repo_name, path, model, content_hash, embedding)
             SELECT 'c', 'p', 'm', sha256('x'), array_fill(0.5, ARRAY[768])::public.vector"
                .into(),
            "c all",
        ),
        ("SET session_replication_role = replica; DELETE FROM code_files WHERE repo_name = 'b'".into(), "b all"),
        ("TRUNCATE code_files".into(), "a b c all"),
        ("BEGIN; DELETE FROM embeddings; ROLLBACK".into(), ""),
        ("TRUNCATE embeddings".into(), "a b c all"),
    ] {
        assert_eq!(changed_by(&database, &statement), changed, "{statement}");
    }
    let copy = |text: String| {
        database.with(async |connection| {
            let mut copy = connection
                .copy_in_raw("COPY code_files (repo_name, file_path, content, content_hash, size_bytes) FROM STDIN")
                .await
                .unwrap();
            copy.send(text.as_bytes()).await.unwrap();
            copy.finish().await.unwrap();
        });
    };
    let before = database.column(VERSIONS);
    let hash = format!("\\\\x{}", "00".repeat(32));
    copy(format!("a\t5\t\t{hash}\t0\nc\t5\t\t{hash}\t0\n"));
    let after = database.column(VERSIONS);
    let same: Vec<bool> = before.iter().zip(&after).map(|(old, new)| old == new).collect();
    assert_eq!(same, [false, true, false, false], "COPY");
    Passed
}

fn a_write_straight_to_a_leaf_changes_them_too(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    database.execute(&format!("{INSERT} {}, {}", row("a", "1"), row("b", "1")));
    let leaf = database.text("SELECT tableoid::regclass::text FROM code_files WHERE repo_name = 'a'");
    for (statement, changed) in [
        (format!("UPDATE {leaf} SET content = 'x' WHERE repo_name = 'a'"), "a all"),
        (format!("DELETE FROM {leaf} WHERE repo_name = 'a'"), "a all"),
        (INSERT.replace("code_files", &leaf) + &row("a", "1"), "a all"),
        (format!("TRUNCATE {leaf}"), "a b c all"),
    ] {
        assert_eq!(changed_by(&database, &statement), changed, "{statement}");
    }
    Passed
}

async fn version(connection: &mut PgConnection) -> i64 {
    sqlx::query_scalar("SELECT db_service.version_of('a')").fetch_one(connection).await.unwrap()
}

async fn write(connection: &mut PgConnection, path: &str) {
    let statement = format!("{INSERT} {}", row("a", path));
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(connection).await.unwrap();
}

fn writers_of_one_repository_do_not_wait_for_each_other(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    database.with(async |one| {
        let mut two = ::database::connection::connect(&database.url).await.unwrap();
        sqlx::raw_sql("SET lock_timeout = '5s'").execute(&mut two).await.unwrap();
        let mut first = one.begin().await.unwrap();
        write(&mut first, "1").await;
        let mut second = two.begin().await.unwrap();
        write(&mut second, "2").await;
        second.commit().await.unwrap();
        first.commit().await.unwrap();
    });
    Passed
}

/// Commits out of order, what is not committed yet, and what never is.
fn no_two_states_share_a_value(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    database.with(async |reader| {
        let mut one = ::database::connection::connect(&database.url).await.unwrap();
        let mut two = ::database::connection::connect(&database.url).await.unwrap();
        let mut seen = vec![version(reader).await];
        let mut first = one.begin().await.unwrap();
        write(&mut first, "1").await;
        seen.push(version(&mut first).await);
        let mut second = two.begin().await.unwrap();
        write(&mut second, "2").await;
        seen.push(version(&mut second).await);
        write(&mut second, "3").await;
        seen.push(version(&mut second).await);
        assert_eq!(version(reader).await, seen[0], "nothing is committed");
        second.commit().await.unwrap();
        assert_eq!(version(reader).await, seen[3], "what the writer saw is what others see after its commit");
        let mut third = two.begin().await.unwrap();
        write(&mut third, "4").await;
        seen.push(version(&mut third).await);
        third.rollback().await.unwrap();
        assert_eq!(version(reader).await, seen[3], "nothing came of it");
        first.commit().await.unwrap();
        seen.push(version(reader).await);
        let count = seen.len();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), count, "a value was there twice");
    });
    Passed
}

fn folding_changes_no_version(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    for path in 0..20 {
        database.execute(&format!("{INSERT} {}, {}", row("a", &path.to_string()), row("b", &path.to_string())));
    }
    database.execute("TRUNCATE embeddings");
    let before = database.column(VERSIONS);
    database.with(async |connection| {
        let mut beside = ::database::connection::connect(&database.url).await.unwrap();
        let mut writer = beside.begin().await.unwrap();
        write(&mut writer, "beside").await;
        let seen = version(&mut writer).await;
        let folded: i32 =
            sqlx::query_scalar("SELECT db_service.fold_versions(7)").fetch_one(&mut *connection).await.unwrap();
        assert_eq!(folded, 6, "seven became one");
        assert_eq!(version(&mut writer).await, seen, "the writer's own");
        let mut other = connection.begin().await.unwrap();
        sqlx::raw_sql("SELECT db_service.fold_versions(1000000)").execute(&mut *other).await.unwrap();
        let refused: i32 =
            sqlx::query_scalar("SELECT db_service.fold_versions(1000)").fetch_one(&mut *writer).await.unwrap();
        assert_eq!(refused, 0, "one at a time");
        other.commit().await.unwrap();
        writer.rollback().await.unwrap();
    });
    assert_eq!(database.column(VERSIONS), before);
    assert_eq!(database.text("SELECT max(n)::text FROM (SELECT count(*) n FROM db_service.repository_version GROUP BY concerns, repo_name) c"), "1");
    assert_eq!(changed_by(&database, "DELETE FROM code_files WHERE repo_name = 'a'"), "a all");
    Passed
}

fn a_role_without_rights_in_the_layer_can_write(server: &TestServer) -> Verdict {
    let role = Role::new(server);
    let database = Database::at(server, Stage::All);
    database.execute(&format!(
        "GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON code_files TO {0}; GRANT USAGE ON SEQUENCE code_files_id_seq TO {0}",
        role.name
    ));
    let its = Database::with_url(server, &database.name, &role.url(&database));
    let before = database.column(VERSIONS);
    its.execute(&format!("{INSERT} {}", row("a", "1")));
    assert_ne!(database.column(VERSIONS), before);
    its.execute("UPDATE code_files SET content = 'x'; DELETE FROM code_files; TRUNCATE code_files");
    assert!(its.error("SELECT db_service.version_of('a')").contains("permission denied for schema db_service"));
    database.execute(&format!("GRANT USAGE ON SCHEMA db_service TO {}", role.name));
    assert_eq!(its.column(VERSIONS), database.column(VERSIONS), "versions are for everybody");
    assert!(its.error("SELECT db_service.cache_get('')").contains("permission denied for function"));
    database.execute(&format!("DROP OWNED BY {}", role.name));
    Passed
}

/// As it was before `011_lean_versions`.
const BEFORE: &str = "
    ALTER TABLE db_service.repository_version
        ADD CONSTRAINT repository_version_concerns_check CHECK (concerns IN ('one', 'every', 'all')),
        ADD CONSTRAINT repository_version_check CHECK (concerns = 'one' OR repo_name = '');
    DELETE FROM db_service._sqlx_migrations WHERE version >= 11;
    DROP VIEW db_service.week_leaves;
    DROP FUNCTION db_service.answer_namespace, db_service.prompt_hash, db_service.find_answer, db_service.store_answer,
        db_service.count_answer_hits, db_service.answers_saved";

/// It waits for a writer whose transaction is open, and the others do not wait with it.
fn a_migration_of_the_marks_lets_writers_pass(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    database.execute(BEFORE);
    database.with(async |one| {
        let mut two = ::database::connection::connect(&database.url).await.unwrap();
        let mut first = one.begin().await.unwrap();
        write(&mut first, "open").await;
        let migrating = std::thread::spawn({
            let command = migrations_command(&database.url_text(), &[]);
            move || run(command)
        });
        let waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 'db_service.repository_version'::regclass)";
        for path in 0..3 {
            crate::database::wait(&mut two, waits).await;
            write(&mut two, &path.to_string()).await;
        }
        assert!(!migrating.is_finished(), "it did not wait");
        first.commit().await.unwrap();
        migrating.join().unwrap().succeeds();
    });
    let checks = "SELECT count(*)::text FROM pg_constraint WHERE conrelid = 'db_service.repository_version'::regclass AND contype = 'c'";
    assert_eq!(database.text(checks), "0");
    assert_eq!(changed_by(&database, "DELETE FROM code_files WHERE repo_name = 'a'"), "a all");
    Passed
}
