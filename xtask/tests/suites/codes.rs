//! Codes: whatever happens to the vectors, and to whoever copies and folds, they are what a copy made anew would be.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::Verdict::{self, Passed};
use crate::command::{migrations, xtask};
use crate::database::Database;
use crate::oracle::{filled, forms_of_codes};
use crate::server::TestServer;
use crate::twins::{partitioned, plain};
use crate::writers::{Writers, killed};

crate::tests![
    they_are_what_a_copy_would_be_under_writers,
    a_writer_from_before_a_fold_is_not_lost,
    a_copy_that_is_killed_goes_on,
    a_fold_waits_for_nobody_and_stops_nobody,
    another_form_takes_over_while_searches_go_on,
    their_index_is_built_in_the_memory_that_was_said,
    triggers_that_were_off_have_them_built_anew,
    the_way_back_leaves_nothing_of_them,
];

/// Rows in which the codes, with what was written since, differ from the vectors.
const DIFFERENCES: &str = "SELECT count(*)::text FROM (
         SELECT repo_name, path, model, half FROM db_service.fresh_codes WHERE half IS NOT NULL
         UNION ALL
         SELECT c.repo_name, c.path, c.model, c.half FROM db_service.embedding_codes c
         WHERE NOT EXISTS (SELECT FROM db_service.fresh_codes f WHERE f.repo_name = c.repo_name AND f.path = c.path)) k
     FULL JOIN public.embeddings e USING (repo_name, path)
     WHERE k.half IS DISTINCT FROM public.l2_normalize(e.embedding)::public.halfvec(768) OR k.model IS DISTINCT FROM e.model";

#[track_caller]
pub(crate) fn assert_equal(database: &Database<'_>, when: &str) {
    assert_eq!(database.text(DIFFERENCES), "0", "rows differ {when}");
}

/// Folds until nothing is left.
pub(crate) fn fold(database: &Database<'_>) {
    while database.text("SELECT db_service.fold_codes(7)::text") != "0" {}
}

/// Writers of every isolation level, a fold beside them, and a split.
fn they_are_what_a_copy_would_be_under_writers(server: &TestServer) -> Verdict {
    let database = plain(server);
    let url = database.url_text();
    // The first key of all.
    database.execute("UPDATE embeddings SET repo_name = '', path = '' WHERE id = 300; UPDATE twin.embeddings SET repo_name = '', path = '' WHERE id = 300");
    let writers = Writers::start_on_embeddings(&database.url, 300);
    migrations(&url, &["--yes"]).succeeds();
    assert_equal(&database, "after the first copy, under writers");
    for _ in 0..20 {
        database.text("SELECT db_service.fold_codes(50)::text");
    }
    assert_equal(&database, "while it is folded, under writers");
    migrations(&url, &["split", "--table", "embeddings", "--leaf", "16/3", "--yes"]).succeeds();
    writers.finish();
    assert_equal(&database, "after a split, under writers");
    fold(&database);
    assert_equal(&database, "after all is folded");
    assert_eq!(database.text("SELECT count(*)::text FROM db_service.fresh_codes"), "0");
    Passed
}

async fn run(connection: &mut PgConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(connection).await.unwrap();
}

/// Its snapshot does not show what was folded since; what it does counts all the same.
fn a_writer_from_before_a_fold_is_not_lost(server: &TestServer) -> Verdict {
    let database = partitioned(server);
    fold(&database);
    for statement in [
        "DELETE FROM embeddings WHERE path = 'file1'",
        "UPDATE embeddings SET embedding = (SELECT embedding FROM embeddings WHERE path = 'file2') WHERE path = 'file3'",
        "UPDATE embeddings SET path = 'elsewhere' WHERE path = 'file4'",
    ] {
        database.execute("UPDATE embeddings SET embedding = embedding OPERATOR(public.+) embedding OPERATOR(public.+) (SELECT embedding FROM embeddings WHERE path = 'file9') WHERE path IN ('file1', 'file3', 'file4')");
        database.with(async |connection| {
            let mut old = ::database::connection::connect(&database.url).await.unwrap();
            run(&mut old, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM embeddings").await;
            run(connection, "SELECT db_service.fold_codes(1000)").await;
            run(&mut old, statement).await;
            run(&mut old, "COMMIT").await;
            old.close().await.unwrap();
        });
        assert_equal(&database, statement);
        fold(&database);
        assert_equal(&database, statement);
    }
    Passed
}

fn a_copy_that_is_killed_goes_on(server: &TestServer) -> Verdict {
    let database = partitioned(server);
    let url = database.url_text();
    database.execute("SELECT db_service.begin_codes()");
    // The journal holds the copy up in the transaction that has brought it half-way, and the index in its last statement.
    database.execute(
        "CREATE FUNCTION twin.hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(3); RETURN NEW; END $$;
         CREATE TRIGGER hold BEFORE UPDATE ON db_service.codes FOR EACH ROW EXECUTE FUNCTION twin.hold()",
    );
    let is_held =
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep')";
    for _ in 0..4 {
        killed(&url, &[], |_| database.wait(is_held));
        database.execute("DELETE FROM embeddings WHERE path IN (SELECT path FROM embeddings ORDER BY path LIMIT 3)");
        database.wait(&is_held.replace("EXISTS", "NOT EXISTS"));
    }
    database.execute("DROP TRIGGER hold ON db_service.codes");
    migrations(&url, &[]).succeeds().says("searches across repositories use them");
    assert_equal(&database, "after four kills");
    migrations(&url, &[]).succeeds().changes_nothing();
    Passed
}

fn a_fold_waits_for_nobody_and_stops_nobody(server: &TestServer) -> Verdict {
    let database = partitioned(server);
    fold(&database);
    database.execute("UPDATE embeddings SET model = 'n'");
    database.with(async |connection| {
        let mut writer = ::database::connection::connect(&database.url).await.unwrap();
        run(&mut writer, "BEGIN; UPDATE embeddings SET model = 'o' WHERE path = 'file1'").await;
        run(connection, "SET statement_timeout = '20s'; SELECT db_service.fold_codes(1000)").await;
        let mut other = ::database::connection::connect(&database.url).await.unwrap();
        run(
            connection,
            "BEGIN; UPDATE embeddings SET model = 'p' WHERE path = 'file2'; SELECT db_service.fold_codes(1000)",
        )
        .await;
        run(&mut other, "SET lock_timeout = '20s'; UPDATE embeddings SET model = 'p' WHERE path = 'file3'").await;
        run(connection, "COMMIT").await;
        run(&mut writer, "COMMIT").await;
    });
    assert_equal(&database, "after writers beside a fold");
    let error = database.error("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT db_service.fold_codes()");
    assert!(error.contains("at the isolation level READ COMMITTED only"), "{error}");
    Passed
}

fn another_form_takes_over_while_searches_go_on(server: &TestServer) -> Verdict {
    let database = partitioned(server);
    let url = database.url_text();
    let way = "SELECT min(way) FROM db_service.search_across((SELECT embedding FROM embeddings WHERE path = 'file7'))";
    let first = "SELECT path FROM db_service.search_across((SELECT embedding FROM embeddings WHERE path = 'file7'), 1)";
    let of_vchord = forms_of_codes(server).into_iter().find(|form| *form == "vchordrq").unwrap_or("halfvec");
    for (form, taken) in [("bits", "bits"), ("vchordrq", of_vchord), ("none", "merge-append"), ("halfvec", "halfvec")] {
        database.execute(&format!("UPDATE db_service.codes SET form = '{form}'"));
        migrations(&url, &["plan"]).exits(3);
        migrations(&url, &[]).succeeds();
        assert_eq!(database.text(way), taken);
        assert_eq!(database.text(first), "file7", "{form}");
        migrations(&url, &[]).succeeds().changes_nothing();
    }
    assert_equal(&database, "after four forms");
    let indexes = database.column("SELECT indexname FROM pg_indexes WHERE tablename = 'embedding_codes' ORDER BY 1");
    assert_eq!(indexes, ["embedding_codes_halfvec", "embedding_codes_pkey"], "the others are gone");
    Passed
}

fn their_index_is_built_in_the_memory_that_was_said(server: &TestServer) -> Verdict {
    let database = filled(server);
    database.execute(
        "SELECT db_service.begin_codes();
         CREATE TABLE said (memory text, command text);
         CREATE FUNCTION say() RETURNS event_trigger LANGUAGE plpgsql AS
             $$ BEGIN INSERT INTO public.said VALUES (current_setting('maintenance_work_mem'), current_query()); END $$;
         CREATE EVENT TRIGGER say ON ddl_command_end WHEN TAG IN ('CREATE INDEX') EXECUTE FUNCTION say()",
    );
    let url = database.url_text();
    xtask(&["db-setup", "--layers", "sqlx", "--database-url", &url, "--index-memory", "77"]).succeeds();
    let said = "SELECT DISTINCT memory FROM said WHERE command LIKE '%embedding_codes USING hnsw%'";
    assert_eq!(database.column(said), ["77MB"]);
    Passed
}

fn triggers_that_were_off_have_them_built_anew(server: &TestServer) -> Verdict {
    let database = partitioned(server);
    let url = database.url_text();
    database.execute(
        "ALTER TABLE embeddings DISABLE TRIGGER singularity_kept_codes_deleted;
         DELETE FROM embeddings WHERE path = 'file5';
         SELECT 1",
    );
    migrations(&url, &["verify"]).exits(4).says("singularity_kept_codes_deleted");
    migrations(&url, &[]).succeeds().says("vectors copied");
    assert_equal(&database, "after a trigger was off");
    Passed
}

fn the_way_back_leaves_nothing_of_them(server: &TestServer) -> Verdict {
    let database = partitioned(server);
    let url = database.url_text();
    migrations(&url, &["revert", "--table", "embeddings", "--yes"]).succeeds();
    let rows = "SELECT ((SELECT count(*) FROM db_service.embedding_codes) + (SELECT count(*) FROM db_service.fresh_codes))::text";
    assert_eq!(database.text(rows), "0");
    database.execute("DELETE FROM embeddings WHERE path = 'file1'");
    migrations(&url, &[]).succeeds();
    migrations(&url, &["layout", "--table", "embeddings", "--leaves", "16", "--yes"]).succeeds();
    assert_equal(&database, "there again");
    Passed
}
