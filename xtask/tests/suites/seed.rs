//! `db-setup --seed` and `bench ingest`: a corpus of source files, loaded as often as one likes.

use std::fs;
use std::path::Path;

use crate::Verdict::{self, Passed};
use crate::command::{Run, project_copy, run, xtask, xtask_command};
use crate::database::{Database, Stage};
use crate::server::TestServer;

crate::tests![
    the_development_database_is_seeded_and_no_other,
    a_changed_file_is_loaded_anew_with_all_its_parts,
    a_dry_run_says_what_would_be_loaded,
    production_is_not_seeded,
    a_database_without_a_schema_is_not_seeded,
    what_is_loaded_again_changes_nothing,
    a_folder_of_repositories_is_loaded,
    what_is_there_is_looked_up_by_its_key,
    a_database_that_is_not_set_up_takes_no_rows,
];

/// Rows, and whatever would change if one was written again.
const ROWS: &str = "SELECT format('%s %s', (SELECT md5(string_agg(c::text || c.xmin, '' ORDER BY repo_name, file_path)) FROM code_files c),
    (SELECT md5(string_agg(e.path || e.content_hash || e.xmin, '' ORDER BY repo_name, path)) FROM embeddings e))";

fn marked<'a>(server: &'a TestServer, environment: &str) -> Database<'a> {
    let database = Database::at(server, Stage::All);
    database.execute(&format!("ALTER DATABASE {} SET singularity.environment = '{environment}'", database.name));
    database
}

/// A small project of its own, with no build folders in it.
fn project() -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let project = project_copy(folder.path());
    (folder, project)
}

fn seed(project: &Path, url: &str, more: &[&str]) -> Run {
    run(xtask_command(project, &[&["db-setup", "--ecto", "load", "--seed", "--database-url", url], more].concat()))
}

fn the_development_database_is_seeded_and_no_other(server: &TestServer) -> Verdict {
    let _names = server.fixed_names();
    let url = server.url.for_libpq();
    let (_folder, project) = project();
    seed(&project, &url, &[]).succeeds().says("Loaded corpus `singularity` in `singularity_dev`: ");
    let dev = server.named("singularity_dev");
    assert!(dev.truth("SELECT count(*) > 5 FROM code_files WHERE repo_name = 'singularity'"));
    assert!(dev.truth("SELECT count(*) > 5 AND bool_and(model = 'hashed-features-768') FROM embeddings"));
    assert!(dev.truth("SELECT bool_and(content_hash = sha256(convert_to(content, 'UTF8'))) FROM code_files"));
    assert!(dev.truth("SELECT bool_and(abs(public.vector_norm(embedding) - 1) < 1e-4) FROM embeddings"));
    assert!(server.named("singularity_test").truth("SELECT NOT EXISTS (SELECT 1 FROM code_files)"));
    // Searches take the index from the start.
    let folded = "SELECT (SELECT count(*) FROM db_service.embedding_codes) = (SELECT count(*) FROM embeddings)
                     AND NOT EXISTS (SELECT FROM db_service.fresh_codes)";
    assert!(dev.truth(folded));
    let rows = dev.text(ROWS);
    seed(&project, &url, &[]).succeeds().says("Unchanged corpus `singularity` in `singularity_dev`: ");
    let json = seed(&project, &url, &["--json"]).succeeds().json();
    assert_eq!(json["outcome"], "unchanged");
    let step = json["steps"].as_array().unwrap().iter().find(|step| step["layer"] == "seed").unwrap();
    assert_eq!((&step["name"], &step["status"]), (&"singularity".into(), &"unchanged".into()));
    assert_eq!(dev.text(ROWS), rows);
    Passed
}

fn a_changed_file_is_loaded_anew_with_all_its_parts(server: &TestServer) -> Verdict {
    let database = marked(server, "dev");
    let (_folder, project) = project();
    let paths = "SELECT path FROM embeddings WHERE path LIKE 'long%' ORDER BY path COLLATE \"C\"";
    let write = |lines: usize| fs::write(project.join("long.md"), "a word\n".repeat(lines)).unwrap();
    for (lines, expected) in [
        (130, vec!["long.md#1", "long.md#121", "long.md#61"]),
        (70, vec!["long.md#1", "long.md#61"]),
        (3, vec!["long.md"]),
    ] {
        write(lines);
        seed(&project, &database.url_text(), &[]).succeeds().says("Loaded corpus");
        assert_eq!(database.column(paths), expected);
        let size = database.text("SELECT size_bytes::text FROM code_files WHERE file_path = 'long.md'");
        assert_eq!(size, (lines * 7).to_string());
    }
    seed(&project, &database.url_text(), &[]).succeeds().says("Unchanged corpus");
    Passed
}

fn a_dry_run_says_what_would_be_loaded(server: &TestServer) -> Verdict {
    let database = marked(server, "dev");
    let (_folder, project) = project();
    seed(&project, &database.url_text(), &["--dry-run"]).exits(3).says("Pending corpus `singularity` in `");
    assert!(database.truth("SELECT NOT EXISTS (SELECT 1 FROM code_files)"));
    let absent = Database::absent(server);
    seed(&project, &absent.url_text(), &["--dry-run", "--environment", "test"])
        .exits(3)
        .says(&format!("Pending corpus `singularity` in `{}`: ", absent.name));
    Passed
}

fn production_is_not_seeded(server: &TestServer) -> Verdict {
    let (_folder, project) = project();
    let database = marked(server, "prod");
    for more in [&[][..], &["--dry-run"]] {
        seed(&project, &database.url_text(), more)
            .exits(4)
            .says("error: cannot load a corpus into database `")
            .says("hint: nothing was changed: leave out `--seed`");
    }
    assert!(database.truth("SELECT NOT EXISTS (SELECT 1 FROM code_files)"));
    // It would be marked as one of production.
    let absent = Database::absent(server);
    seed(&project, &absent.url_text(), &[]).exits(4);
    assert!(
        server
            .named("postgres")
            .truth(&format!("SELECT NOT EXISTS (SELECT 1 FROM pg_database WHERE datname = '{}')", absent.name))
    );
    seed(&project, &absent.url_text(), &["--environment", "test"]).succeeds().says("Loaded corpus");
    Passed
}

fn a_database_without_a_schema_is_not_seeded(server: &TestServer) -> Verdict {
    let _names = server.fixed_names();
    let (_folder, project) = project();
    let url = server.named("singularity_embeddings").url_text();
    seed(&project, &url, &[]).exits(2).says("database `singularity_embeddings`: it has no schema");
    Passed
}

fn ingest(database: &Database<'_>, arguments: &[&str]) -> Run {
    xtask(&[&["bench", "ingest", "--database-url", &database.url_text()], arguments].concat())
}

fn what_is_loaded_again_changes_nothing(server: &TestServer) -> Verdict {
    let database = marked(server, "test");
    let (folder, _) = project();
    let path = folder.path().to_str().unwrap();
    let first = ingest(&database, &["--path", path, "--json", "--jobs", "3"]).succeeds().json();
    assert_eq!((&first["unchanged"], &first["repositories"]), (&false.into(), &1.into()));
    assert_eq!(first["code_files"]["rows"], first["code_files"]["written"]);
    assert_eq!(first["database"], *database.name);
    let (rows, numbers) = (database.text(ROWS), "SELECT last_value::text FROM embeddings_id_seq");
    let last = database.text(numbers);
    let again = ingest(&database, &["--path", path]).succeeds();
    assert!(again.stdout.contains("Unchanged: everything was there before"), "{}", again.stdout);
    assert_eq!((database.text(ROWS), database.text(numbers)), (rows, last));
    Passed
}

fn a_folder_of_repositories_is_loaded(server: &TestServer) -> Verdict {
    let database = marked(server, "test");
    let folder = tempfile::tempdir().unwrap();
    for (path, content) in [
        ("serde-1.0.0/src/lib.rs", &b"pub trait Serialize {}"[..]),
        ("serde-0.9.0/src/lib.rs", b"pub trait Old {}"),
        ("serde-1.0.0/logo.png", b"\x89PNG\0"),
        ("tokio/a\tb\\.rs", b"fn main() {\t}\\N"),
        ("tokio/empty.txt", b""),
    ] {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let run = ingest(&database, &["--path", folder.path().to_str().unwrap(), "--model", "m"]).succeeds();
    for text in
        ["3 repositories in ", "code_files: 4 rows (all written)", "model `m`", "left out: 1 files that are not text"]
    {
        assert!(run.stdout.contains(text), "{text}: {}", run.stdout);
    }
    let files =
        "SELECT format('%s %s %s', repo_name, file_path, language) FROM code_files ORDER BY repo_name, file_path";
    assert_eq!(
        database.column(files),
        ["serde src/lib.rs rust", "serde-0.9.0 src/lib.rs rust", "tokio a\tb\\.rs rust", "tokio empty.txt text"]
    );
    assert_eq!(database.text("SELECT content FROM code_files WHERE file_path LIKE 'a%'"), "fn main() {\t}\\N");
    assert_eq!(database.text("SELECT count(*)::text FROM embeddings WHERE model = 'm'"), "3");
    Passed
}

/// In a table that grows, of which the planner still believes that it is empty: not by the model, which all rows have.
fn what_is_there_is_looked_up_by_its_key(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::Ecto);
    database.execute(&format!("ALTER DATABASE {} SET singularity.environment = 'test'", database.name));
    let folder = tempfile::tempdir().unwrap();
    for number in 0..900 {
        fs::write(folder.path().join(format!("file{number}.rs")), format!("fn f{number}() {{}}")).unwrap();
    }
    let arguments = ["--path", folder.path().to_str().unwrap(), "--jobs", "1"];
    ingest(&database, &arguments).succeeds();
    // What a connection counted is seen once it has ended.
    let read = "SELECT sum(s.idx_tup_read)::text FROM pg_stat_user_indexes s
                WHERE pg_get_indexdef(s.indexrelid) LIKE '%(model)'";
    let loaded = "SELECT n_tup_ins > 800 FROM pg_stat_user_tables WHERE relname = 'embeddings'";
    database.wait(loaded);
    assert_eq!(database.text(read), "0");
    Passed
}

fn a_database_that_is_not_set_up_takes_no_rows(server: &TestServer) -> Verdict {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let database = Database::empty(server);
    ingest(&database, &["--path", path]).exits(4).says("counts as production").says("hint: nothing was changed");
    database.execute(&format!("ALTER DATABASE {} SET singularity.environment = 'test'", database.name));
    ingest(&database, &["--path", path]).exits(1).says("has no tables `code_files` and `embeddings`");
    ingest(&database, &["--path", "/nowhere/at/all"]).exits(2).says("cannot read the folder `/nowhere/at/all`");
    Passed
}
