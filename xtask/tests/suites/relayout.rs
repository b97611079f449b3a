//! The relayout engine: live tables become partitioned and plain again, under writers, and whoever is killed when.

use std::time::Duration;

use ::database::{DatabaseUrl, connection};
use sqlx::Connection as _;

use crate::Verdict::{self, Passed};
use crate::command::{migrations, migrations_command};
use crate::database::{Database, Stage};
use crate::relay::{self, End, Moment};
use crate::role::Role;
use crate::server::TestServer;
use crate::twins::{PARTITIONED, assert_no_difference, leaves, plain, plain_of};
use crate::writers::{Writers, killed_in, killed_in_every_phase, situation};

crate::tests![
    tables_become_partitioned_and_plain_again_under_writers,
    a_kill_at_any_request_loses_nothing,
    a_kill_in_any_phase_loses_nothing,
    a_mirror_trigger_would_have_kept_a_deleted_row,
    a_table_altered_meanwhile_is_laid_out_anew,
    revert_asks_first_and_leaves_nothing_behind,
    truncate_is_refused_while_rows_are_copied,
    a_vacuum_in_the_way_does_not_stop_writers,
    a_row_that_differs_is_found_and_both_forms_are_kept,
];

fn tables_become_partitioned_and_plain_again_under_writers(server: &TestServer) -> Verdict {
    let database = plain(server);
    let undisturbed = database.dump();
    let url = database.url_text();
    // Believed to be that large, they are copied in several ranges side by side.
    database.execute(
        "UPDATE pg_class SET reltuples = 1000000 WHERE oid IN ('code_files'::regclass, 'embeddings'::regclass)",
    );
    let writers = Writers::start(&database.url);
    migrations(&url, &["--yes"])
        .succeeds()
        .says("Converted layout `code_files` to 16 hash leaves")
        .says("writers blocked");
    assert_eq!(leaves(&database), PARTITIONED);
    let ranges = "SELECT count(DISTINCT (after, until)) > 2 FROM db_service.relayout_range r JOIN db_service.relayout_job j ON j.id = r.job_id WHERE table_name = 'code_files'";
    assert!(database.truth(ranges), "the rows were copied in one range");
    migrations(&url, &["revert", "--yes"]).succeeds().says("Converted layout `embeddings` to one plain table");
    assert!(writers.finish() > 50, "the writers had no turn");
    assert_no_difference(&database, "after the way there and back");
    database.execute("DROP SCHEMA db_service CASCADE");
    assert_eq!(database.dump(), undisturbed);
    Passed
}

/// Each rerun goes on where the one before was killed, and is killed in its turn; by a role that owns the tables, no more.
fn a_kill_at_any_request_loses_nothing(server: &TestServer) -> Verdict {
    let role = Role::new(server);
    let database = plain_of(server, &role);
    let url = DatabaseUrl::parse(&database.runner_text()).unwrap();
    let writers = Writers::start(&database.url);
    let run = |moment| relay::run(&url, moment, |url| migrations_command(url, &["--yes"]));
    let End::Finished(requests) = run(Moment::Never) else { unreachable!() };
    let (mut wanted, mut conversions, mut kills) = (1, 0, 0);
    let declare = |wanted| database.execute(&format!("UPDATE db_service.layout SET leaves = {wanted}"));
    for turn in 0..60 {
        declare(wanted);
        // 37 shares no factor with 60: every sixtieth of half that many requests has its turn, from wherever the one before ended.
        let end = run(Moment::Request(1 + requests * (turn * 37 % 60) / 120));
        kills += u32::from(end == End::Killed);
        if is_reached(&database, wanted) {
            assert_no_difference(&database, &format!("killed in turn {turn}"));
            wanted = if wanted == 1 { 16 } else { 1 };
            conversions += 1;
        }
    }
    declare(wanted);
    let last = migrations(&database.runner_text(), &["--yes"]).succeeds();
    assert!(is_reached(&database, wanted), "{}\n{}", last.stderr, situation(&database));
    writers.finish();
    assert_no_difference(&database, "at the end");
    assert!(kills > 30, "{kills} kills only");
    eprintln!("{kills} kills in {} conversions", conversions + 1);
    Passed
}

/// Whether both tables have that many leaves, and no job is unfinished.
fn is_reached(database: &Database<'_>, wanted: u32) -> bool {
    leaves(database) == if wanted == 1 { "" } else { PARTITIONED }
        && database.truth(
            "SELECT NOT EXISTS (SELECT FROM db_service.relayout_job WHERE phase NOT IN ('cleaned', 'abandoned'))",
        )
}

fn a_kill_in_any_phase_loses_nothing(server: &TestServer) -> Verdict {
    let role = Role::new(server);
    let database = plain_of(server, &role);
    let url = database.runner_text();
    migrations(&url, &["--yes"]).succeeds();
    let writers = Writers::start(&database.url);
    for wanted in [1, 16] {
        database.execute(&format!("UPDATE db_service.layout SET leaves = {wanted}"));
        killed_in_every_phase(&database, &["--yes"], 2);
        migrations(&url, &[]).succeeds();
        assert!(is_reached(&database, wanted));
        assert_no_difference(&database, &format!("killed in every phase on the way to {wanted} leaves"));
    }
    writers.finish();
    assert_no_difference(&database, "at the end");
    Passed
}

/// The usual way to keep a copy up to date, in an order of events that any server can produce; ours passes the same check
/// in the tests above.
fn a_mirror_trigger_would_have_kept_a_deleted_row(server: &TestServer) -> Verdict {
    let database = Database::empty(server);
    database.execute(
        "CREATE TABLE original (id int PRIMARY KEY); INSERT INTO original VALUES (1), (2); CREATE TABLE copy (id int PRIMARY KEY);
         CREATE FUNCTION mirror() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             IF TG_OP <> 'INSERT' THEN DELETE FROM copy WHERE id = OLD.id; END IF;
             IF TG_OP <> 'DELETE' THEN INSERT INTO copy VALUES (NEW.id); END IF;
             RETURN NULL;
         END $$;
         CREATE TRIGGER mirror AFTER INSERT OR UPDATE OR DELETE ON original FOR EACH ROW EXECUTE FUNCTION mirror()",
    );
    database.with(async |deleter| {
        let mut deletion = deleter.begin().await.unwrap();
        sqlx::raw_sql("DELETE FROM original WHERE id = 1").execute(&mut *deletion).await.unwrap();
        let mut copier = connection::connect(&database.url).await.unwrap();
        sqlx::raw_sql("INSERT INTO copy TABLE original").execute(&mut copier).await.unwrap();
        connection::close(copier).await;
        deletion.commit().await.unwrap();
    });
    assert_eq!(database.column("SELECT id::text FROM original ORDER BY 1"), ["2"]);
    assert_eq!(database.column("SELECT id::text FROM copy ORDER BY 1"), ["1", "2"], "the mirror has lost the deletion");
    Passed
}

fn a_table_altered_meanwhile_is_laid_out_anew(server: &TestServer) -> Verdict {
    let database = plain(server);
    let url = database.url_text();
    migrations(&url, &[]).succeeds();
    database.execute("UPDATE db_service.layout SET leaves = 1");
    killed_in(&database, &[], "indexing", true);
    database.execute("ALTER TABLE code_files ADD COLUMN added text DEFAULT 'x'; ALTER TABLE twin.code_files ADD COLUMN added text DEFAULT 'x'");
    migrations(&url, &[]).succeeds();
    assert_eq!(leaves(&database), "");
    assert!(database.truth("SELECT EXISTS (SELECT 1 FROM db_service.relayout_job WHERE phase = 'abandoned')"));
    assert_no_difference(&database, "after a column was added");
    Passed
}

fn revert_asks_first_and_leaves_nothing_behind(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    let url = database.url_text();
    migrations(&url, &["revert"]).exits(2).says("hint: nothing was changed; pass `--yes`");
    migrations(&url, &["revert", "--table", "x", "--yes"]).exits(2).says("lays out no table `x`");
    migrations(&url, &["revert", "--dry-run"]).exits(3).says("Pending layout `code_files` one plain table");
    assert_eq!(leaves(&database), PARTITIONED);
    migrations(&url, &["revert", "--table", "embeddings", "--yes"]).succeeds();
    assert_eq!(leaves(&database), "code_files 16");
    let json = migrations(&url, &["revert", "--yes", "--json"]).succeeds().json();
    assert_eq!(json["command"], "migrations revert");
    migrations(&url, &["revert", "--yes"]).succeeds();
    assert_eq!(migrations(&url, &["--json"]).succeeds().json()["outcome"], "unchanged");
    let schemas = "SELECT nspname::text FROM pg_namespace WHERE nspname ~ '^leaf_|^db_service' ORDER BY 1";
    assert_eq!(database.column(schemas), ["db_service"]);
    database.execute("DROP SCHEMA db_service CASCADE");
    assert_eq!(database.dump(), Database::at(server, Stage::Ecto).dump());
    Passed
}

fn truncate_is_refused_while_rows_are_copied(server: &TestServer) -> Verdict {
    let database = plain(server);
    let url = database.url_text();
    migrations(&url, &[]).succeeds();
    database.execute("UPDATE db_service.layout SET leaves = 1");
    killed_in(&database, &[], "backfilling", true);
    for statement in ["TRUNCATE code_files", "TRUNCATE leaf_16_3.code_files"] {
        let error = database.with(async |connection| sqlx::raw_sql(statement).execute(connection).await).unwrap_err();
        assert!(error.to_string().contains("while its layout is being changed"), "{error}");
    }
    migrations(&url, &[]).succeeds();
    database.execute("TRUNCATE code_files");
    Passed
}

fn a_row_that_differs_is_found_and_both_forms_are_kept(server: &TestServer) -> Verdict {
    let database = plain(server);
    let url = database.url_text();
    migrations(&url, &[]).succeeds();
    database.execute("UPDATE db_service.layout SET leaves = 1");
    killed_in(&database, &[], "swapped", true);
    let damage = |statement: &str| {
        // Without the change log, which would leave the row out of the comparison.
        let triggers = database.text(
            "SELECT string_agg(format('ENABLE ALWAYS TRIGGER %I', tgname), ', ') FROM pg_trigger
             WHERE tgrelid = 'code_files'::regclass AND tgenabled = 'A'",
        );
        database.execute(&format!(
            "ALTER TABLE code_files DISABLE TRIGGER USER; {statement} WHERE repo_name = 'repo7' AND file_path = 'file7';
             ALTER TABLE code_files ENABLE TRIGGER USER, {triggers}"
        ));
    };
    damage("UPDATE code_files SET content_hash = sha256('other')");
    migrations(&url, &["verify"]).exits(4).says("table `code_files`: 1 rows differ");
    migrations(&url, &[]).exits(1).says("1 rows of table `code_files`").says("both forms are kept");
    damage("DELETE FROM code_files");
    migrations(&url, &[]).exits(1).says("1 rows of table `code_files`");
    damage("INSERT INTO code_files SELECT * FROM db_service_old.code_files");
    migrations(&url, &[]).succeeds();
    assert_no_difference(&database, "after the damage was mended");
    Passed
}

/// A lock as a vacuum takes it: whoever waits for a stronger one makes all writers wait.
fn a_vacuum_in_the_way_does_not_stop_writers(server: &TestServer) -> Verdict {
    let database = plain(server);
    let url = database.url_text();
    let mut child = database.with(async |connection| {
        let mut vacuum = connection.begin().await.unwrap();
        let lock = "LOCK TABLE code_files IN SHARE UPDATE EXCLUSIVE MODE";
        sqlx::raw_sql(lock).execute(&mut *vacuum).await.unwrap();
        let child = migrations_command(&url, &[]).spawn().unwrap();
        let mut writer = connection::connect(&database.url).await.unwrap();
        let waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 'code_files'::regclass)";
        while !sqlx::query_scalar::<_, bool>(waits).fetch_one(&mut writer).await.unwrap() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        for _ in 0..30 {
            let write =
                "SET lock_timeout = '20ms'; UPDATE code_files SET size_bytes = size_bytes WHERE repo_name = 'repo1'";
            sqlx::raw_sql(write).execute(&mut writer).await.unwrap();
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        connection::close(writer).await;
        vacuum.rollback().await.unwrap();
        child
    });
    assert!(child.wait().unwrap().success());
    assert_eq!(leaves(&database), PARTITIONED);
    assert_no_difference(&database, "after a vacuum was in the way");
    Passed
}
