//! `db-status`: it shows what there is, layer by layer, and writes nothing; whoever looks, and whatever is wrong.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::Verdict::{self, Passed, Skipped};
use crate::command::{self, Run, project_copy, signal, xtask, xtask_command};
use crate::database::{Database, Stage};
use crate::role::Role;
use crate::server::{Kind, TestServer, project};
use crate::writers::killed_in;

crate::tests![
    every_layer_is_shown_and_nothing_is_written,
    what_is_pending_is_told_from_what_is_there,
    what_is_wrong_with_one_layer_hides_nothing_of_the_next,
    whoever_may_not_read_is_told_so_layer_by_layer,
    a_job_is_shown_with_how_far_it_is,
    it_looks_again_until_it_is_stopped,
    without_a_server_it_starts_none,
];

fn look(database: &Database<'_>, more: &[&str]) -> Run {
    xtask(&[&["db-status", "--database-url", &database.url_text()], more].concat())
}

fn every_layer_is_shown_and_nothing_is_written(server: &TestServer) -> Verdict {
    let written = "SELECT (tup_inserted + tup_updated + tup_deleted)::text FROM pg_stat_database WHERE datname = current_database()";
    for (stage, code) in [(Stage::Ecto, 3), (Stage::All, 0), (Stage::Searchable, 0)] {
        let database = Database::at(server, stage);
        let (before, rows) = (database.dump(), database.text(written));
        let run = look(&database, &[]).exits(code).prints("  bootstrap  extension").prints("\n  ecto       migration");
        if code == 0 {
            for line in [
                "layout       code_files",
                "triggers     embeddings",
                "codes        embeddings",
                "filter       code_files",
            ] {
                assert!(run.stdout.contains(line), "`{line}` is not in\n{}", run.stdout);
            }
            assert!(!run.stdout.contains("pending"), "{}", run.stdout);
        }
        assert_eq!(database.text(written), rows, "rows were written");
        assert!(database.dump() == before, "something was changed");
    }
    Passed
}

fn what_is_pending_is_told_from_what_is_there(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    database.execute("UPDATE db_service.layout SET leaves = 4 WHERE table_name = 'code_files'");
    look(&database, &[]).exits(3).prints("pending: 4 hash leaves; now 16 hash leaves").says("`cargo xtask db-setup`");
    let json = look(&database, &["--json"]).exits(3).json();
    let of = |object: &str, status: &str| {
        json["steps"].as_array().unwrap().iter().filter(|it| it["object"] == object && it["status"] == status).count()
    };
    assert_eq!((of("layout", "pending"), of("layout", "found"), of("migration", "pending")), (1, 1, 0), "{json}");
    assert_eq!((json["command"].as_str(), json["outcome"].as_str()), (Some("db-status"), Some("pending")));
    look(&Database::absent(server), &[]).exits(3).prints("there is no database of that name");
    Passed
}

fn what_is_wrong_with_one_layer_hides_nothing_of_the_next(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    database.execute("INSERT INTO schema_migrations (version, inserted_at) VALUES (20991231000000, now())");
    look(&database, &[]).exits(4).prints("20251005").prints("layout       code_files").says("20991231000000");
    Passed
}

fn whoever_may_not_read_is_told_so_layer_by_layer(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    let role = Role::new(server);
    let look = || xtask(&["db-status", "--database-url", &role.url(&database)]);
    look().exits(1).prints("bootstrap  extension").says("permission denied");
    database.execute(&format!(
        "GRANT USAGE ON SCHEMA db_service TO {0}; GRANT SELECT ON ALL TABLES IN SCHEMA public, db_service TO {0}",
        role.name
    ));
    look().succeeds().prints("layout       code_files").prints("left out: this role");
    database.execute(&format!("DROP OWNED BY {}", role.name));
    Passed
}

fn a_job_is_shown_with_how_far_it_is(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::Declared);
    database.execute(
        "INSERT INTO code_files (repo_name, file_path, id, content, content_hash, size_bytes)
         SELECT 'repo' || g % 40, 'file' || g, g, '', sha256(g::text::bytea), 7 FROM generate_series(1, 2000) g;
         ANALYZE code_files",
    );
    killed_in(&database, &["--yes"], "backfilling", true);
    look(&database, &[]).exits(3).prints(
        "job          code_files   backfilling: 0 of about 2000 rows copied; nobody is at it, the next run goes on",
    );
    killed_in(&database, &["--yes"], "catching_up", true);
    look(&database, &[]).exits(3).prints("job          code_files   catching up; nobody is at it");
    Passed
}

fn it_looks_again_until_it_is_stopped(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    let arguments = ["db-status", "--watch", "--interval", "1", "--database-url", &database.url_text()];
    let folder = tempfile::tempdir().unwrap();
    let shown = folder.path().join("shown");
    let mut watching = xtask_command(project(), &arguments)
        .stdout(Stdio::from(std::fs::File::create(&shown).unwrap()))
        .spawn()
        .unwrap();
    let patience = Instant::now() + Duration::from_mins(1);
    let looks = || std::fs::read_to_string(&shown).unwrap().matches("bootstrap").count();
    while looks() < 2 {
        assert!(Instant::now() < patience && watching.try_wait().unwrap().is_none(), "it looked {} times", looks());
        std::thread::sleep(Duration::from_millis(50));
    }
    signal(&watching, "INT");
    assert_eq!(watching.wait().unwrap().code(), Some(130));
    xtask(&["db-status", "--watch", "--json"]).exits(2);
    xtask(&["db-status", "--interval", "1"]).exits(2);
    Passed
}

fn without_a_server_it_starts_none(server: &TestServer) -> Verdict {
    if server.kind != Kind::Embedded {
        return Skipped("asks for no server, the same on every one".to_owned());
    }
    let folder = tempfile::tempdir().unwrap();
    let project = project_copy(folder.path());
    let run = command::run(xtask_command(&project, &["db-status"]));
    run.exits(3).prints("The development server is not running").says("`cargo xtask db-setup`");
    assert!(!project.join(".dev-db").exists());
    Passed
}
