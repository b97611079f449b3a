//! What `docs/ecto-on-partitioned-tables.md` says, row by row, with the SQL that Ecto's PostgreSQL adapter sends.

use std::fmt::Write as _;

use ::database::cause::sql_state;
use sqlx::{AssertSqlSafe, Connection as _};

use crate::Verdict::{self, Passed};
use crate::command::migrations;
use crate::database::Database;
use crate::server::{TestServer, project};
use crate::twins::plain;

crate::tests![every_row_of_the_page_is_so, the_page_and_the_tests_have_the_same_rows];

/// Works.
const OK: &str = "";

/// Identifier, SQL, SQLSTATE; where not all servers fail, `since` or `before` a major version.
const ROWS: &[(&str, &str, &str)] = &[
    (
        "insert",
        r#"INSERT INTO "code_files" ("repo_name","file_path","content","content_hash","size_bytes") VALUES ('repo1','fresh','',sha256('x'),0) RETURNING "id""#,
        OK,
    ),
    (
        "insert-all",
        r#"INSERT INTO "code_files" ("repo_name","file_path","content","content_hash","size_bytes") VALUES ('repo1','fresh','',sha256('x'),0),('repo2','fresh','',sha256('x'),0)"#,
        OK,
    ),
    (
        "upsert-by-key",
        r#"INSERT INTO "code_files" ("repo_name","file_path","content","content_hash","size_bytes") VALUES ('repo1','file1','',sha256('x'),0) ON CONFLICT ("repo_name","file_path") DO UPDATE SET "content" = EXCLUDED."content""#,
        OK,
    ),
    (
        "upsert-replace-all",
        r#"INSERT INTO "code_files" ("id","repo_name","file_path","content","content_hash","size_bytes") VALUES (1,'repo1','file1','',sha256('x'),0) ON CONFLICT ("repo_name","file_path") DO UPDATE SET "id" = EXCLUDED."id","repo_name" = EXCLUDED."repo_name","file_path" = EXCLUDED."file_path","content" = EXCLUDED."content""#,
        OK,
    ),
    (
        "upsert-nothing",
        r#"INSERT INTO "code_files" ("repo_name","file_path","content","content_hash","size_bytes") VALUES ('repo1','file1','',sha256('x'),0) ON CONFLICT DO NOTHING"#,
        OK,
    ),
    (
        "upsert-by-constraint",
        r#"INSERT INTO "code_files" ("repo_name","file_path","content","content_hash","size_bytes") VALUES ('repo1','file1','',sha256('x'),0) ON CONFLICT ON CONSTRAINT code_files_pkey DO UPDATE SET "content" = EXCLUDED."content""#,
        OK,
    ),
    (
        "upsert-by-id",
        r#"INSERT INTO "code_files" ("id","repo_name","file_path","content","content_hash","size_bytes") VALUES (1,'repo1','file1','',sha256('x'),0) ON CONFLICT ("id") DO UPDATE SET "content" = EXCLUDED."content""#,
        "42P10",
    ),
    (
        "upsert-moves-row",
        r#"INSERT INTO "code_files" ("repo_name","file_path","content","content_hash","size_bytes") VALUES ('repo1','file1','',sha256('x'),0) ON CONFLICT ("repo_name","file_path") DO UPDATE SET "repo_name" = 'repo' || (SELECT min(n) FROM generate_series(2, 99) n WHERE NOT EXISTS (SELECT FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE inhparent = 'code_files'::regclass AND satisfies_hash_partition(inhparent, 16, substring(relnamespace::regnamespace::text, '\d+$')::int, 'repo1'::text) AND satisfies_hash_partition(inhparent, 16, substring(relnamespace::regnamespace::text, '\d+$')::int, 'repo' || n)))"#,
        "0A000",
    ),
    (
        "unique-violation",
        r#"INSERT INTO "code_files" ("repo_name","file_path","content","content_hash","size_bytes") VALUES ('repo1','file1','',sha256('x'),0)"#,
        "23505",
    ),
    ("update", r#"UPDATE "code_files" SET "content" = '' WHERE "id" = 1"#, OK),
    ("update-key", r#"UPDATE "code_files" SET "repo_name" = 'elsewhere' WHERE "id" = 1"#, OK),
    ("get", r#"SELECT c0."id", c0."content" FROM "code_files" AS c0 WHERE (c0."id" = 1)"#, OK),
    ("delete", r#"DELETE FROM "code_files" WHERE "id" = 1"#, OK),
    ("lock", r#"SELECT c0."id" FROM "code_files" AS c0 WHERE (c0."repo_name" = 'repo1') FOR UPDATE"#, OK),
    ("stream", r#"DECLARE c CURSOR FOR SELECT c0."id" FROM "code_files" AS c0; FETCH 10 FROM c"#, OK),
    ("truncate", r#"TRUNCATE "code_files""#, OK),
    ("add-column", r#"ALTER TABLE "code_files" ADD COLUMN "license" varchar(255) DEFAULT 'MIT' NOT NULL"#, OK),
    ("remove-column", r#"ALTER TABLE "code_files" DROP COLUMN "language""#, OK),
    ("remove-key", r#"ALTER TABLE "code_files" DROP COLUMN "repo_name""#, "42P16"),
    ("modify-type", r#"ALTER TABLE "code_files" ALTER COLUMN "size_bytes" TYPE numeric"#, OK),
    ("modify-key", r#"ALTER TABLE "code_files" ALTER COLUMN "repo_name" TYPE varchar(255)"#, "42P16"),
    ("modify-null", r#"ALTER TABLE "code_files" ALTER COLUMN "content" DROP NOT NULL"#, OK),
    ("rename-column", r#"ALTER TABLE "code_files" RENAME COLUMN "language" TO "syntax""#, OK),
    ("rename-table", r#"ALTER TABLE "code_files" RENAME TO "files""#, OK),
    ("rename-index", r#"ALTER INDEX "code_files_pkey" RENAME TO "code_files_key""#, OK),
    ("create-index", r#"CREATE INDEX "code_files_size_bytes_index" ON "code_files" ("size_bytes")"#, OK),
    (
        "create-index-concurrently",
        r#"CREATE INDEX CONCURRENTLY "code_files_size_bytes_index" ON "code_files" ("size_bytes")"#,
        "0A000",
    ),
    (
        "create-unique-index",
        r#"CREATE UNIQUE INDEX "code_files_hash_index" ON "code_files" ("repo_name","content_hash")"#,
        OK,
    ),
    ("create-unique-index-without-key", r#"CREATE UNIQUE INDEX "code_files_id_key" ON "code_files" ("id")"#, "0A000"),
    ("drop-index", r#"DROP INDEX "code_files_language_index""#, OK),
    ("drop-index-concurrently", r#"DROP INDEX CONCURRENTLY "code_files_language_index""#, "0A000"),
    ("check", r#"ALTER TABLE "code_files" ADD CONSTRAINT "size" CHECK (size_bytes >= 0)"#, OK),
    ("check-not-valid", r#"ALTER TABLE "code_files" ADD CONSTRAINT "size" CHECK (size_bytes >= 0) NOT VALID"#, OK),
    (
        "exclusion",
        r#"ALTER TABLE "code_files" ADD CONSTRAINT "once" EXCLUDE USING hash (repo_name WITH =) WHERE (size_bytes < 0)"#,
        "0A000 before 17",
    ),
    (
        "exclusion-without-key",
        r#"ALTER TABLE "code_files" ADD CONSTRAINT "once" EXCLUDE USING hash (language WITH =)"#,
        "0A000",
    ),
    (
        "key-on-id",
        r#"ALTER TABLE "code_files" DROP CONSTRAINT "code_files_pkey"; ALTER TABLE "code_files" ALTER COLUMN "id" TYPE bigint, ADD PRIMARY KEY ("id")"#,
        "0A000",
    ),
    (
        "references",
        r#"CREATE TABLE "notes" ("id" bigserial, "code_file_id" bigint, CONSTRAINT "notes_code_file_id_fkey" FOREIGN KEY ("code_file_id") REFERENCES "code_files"("id"), PRIMARY KEY ("id"))"#,
        "42830",
    ),
    (
        "references-with-key",
        r#"CREATE TABLE "notes" ("id" bigserial, "repo_name" text, "path" text, CONSTRAINT "notes_path_fkey" FOREIGN KEY ("repo_name","path") REFERENCES "code_files"("repo_name","file_path"), PRIMARY KEY ("id"))"#,
        OK,
    ),
    ("storage-parameters", r#"ALTER TABLE "code_files" SET (fillfactor = 70)"#, "42809"),
    ("index-parameters", r#"ALTER INDEX "code_files_language_index" SET (fillfactor = 70)"#, "42809"),
    ("cluster-on", r#"ALTER TABLE "code_files" CLUSTER ON "code_files_language_index""#, "0A000"),
    ("unlogged", r#"ALTER TABLE "code_files" SET UNLOGGED"#, "42809 since 18"),
    ("comment", r#"COMMENT ON TABLE "code_files" IS 'files'"#, OK),
    (
        "trigger",
        r#"CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER touch BEFORE UPDATE ON "code_files" FOR EACH ROW EXECUTE FUNCTION touch()"#,
        OK,
    ),
    ("rollback-index", r#"DROP INDEX IF EXISTS "code_files_language_index""#, OK),
    (
        "rollback-remove",
        r#"ALTER TABLE "code_files" DROP COLUMN "language"; ALTER TABLE "code_files" ADD COLUMN "language" text"#,
        OK,
    ),
    ("drop-table", r#"DROP TABLE "code_files""#, OK),
];

/// The SQLSTATE that a row names, if it is one of this server's: `42809 since 18`.
fn state_of(outcome: &str, version: u32) -> &str {
    let [state, when, limit] = outcome.split(' ').collect::<Vec<_>>()[..] else { return outcome };
    let is_since = version >= limit.parse().unwrap();
    if (when == "since") == is_since { state } else { OK }
}

fn every_row_of_the_page_is_so(server: &TestServer) -> Verdict {
    let database = plain(server);
    migrations(&database.url_text(), &[]).succeeds();
    // Its defaults depend on the table's sequences.
    database.execute("DROP SCHEMA twin CASCADE");
    let version =
        database.text("SELECT (current_setting('server_version_num')::integer / 10000)::text").parse().unwrap();
    let mut wrong = String::new();
    for (row, sql, outcome) in ROWS {
        let expected = state_of(outcome, version);
        let outcome = run(&database, sql);
        let state = outcome.as_ref().err().and_then(sql_state).unwrap_or_default();
        if state != expected || outcome.is_err() == expected.is_empty() {
            writeln!(wrong, "{row}: expected `{expected}`: {outcome:?}").unwrap();
        }
        if *row == "unique-violation" {
            let error = outcome.unwrap_err();
            assert_eq!(error.as_database_error().unwrap().constraint(), Some("code_files_pkey"));
        }
    }
    assert_eq!(wrong, "");
    Passed
}

/// In a transaction that is rolled back, where the statement may be in one.
fn run(database: &Database<'_>, sql: &str) -> Result<(), sqlx::Error> {
    database.with(async |connection| {
        if sql.contains("CONCURRENTLY") {
            return sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(connection).await.map(drop);
        }
        let mut transaction = connection.begin().await?;
        let outcome = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut *transaction).await.map(drop);
        transaction.rollback().await?;
        outcome
    })
}

fn the_page_and_the_tests_have_the_same_rows(_: &TestServer) -> Verdict {
    let page = std::fs::read_to_string(project().join("docs/ecto-on-partitioned-tables.md")).unwrap();
    let said: Vec<(&str, &str)> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .filter_map(|line| line.split_once("` |"))
        .map(|(id, rest)| (id, rest.split('|').nth(1).unwrap_or_default().trim()))
        .map(|(id, outcome)| (id, outcome.strip_prefix("fails, ").unwrap_or_default()))
        .collect();
    let tested: Vec<(&str, &str)> = ROWS.iter().map(|(id, _, state)| (*id, *state)).collect();
    assert_eq!(said, tested);
    Passed
}
