//! Who searches, and by what: roles with some rights, the command line, the application; and a table that is plain.

use std::fs;

use crate::Verdict::{self, Passed};
use crate::command::migrations;
use crate::database::{Database, Stage};
use crate::oracle::{filled, found, nearest};
use crate::role::Role;
use crate::server::{TestServer, project};

crate::tests![
    each_role_finds_what_it_may_read,
    the_owner_of_the_vectors_finds_them_by_codes_that_are_somebody_elses,
    a_plain_table_is_searched_too,
    the_command_line_finds_what_is_stored,
    the_command_line_shows_the_plans_that_ran,
    what_the_elixir_module_asks_is_there,
];

/// Who may read the vectors may search them; who sees some of the rows finds those.
fn each_role_finds_what_it_may_read(server: &TestServer) -> Verdict {
    let role = Role::new(server);
    let database = filled(server);
    database.execute(&format!("GRANT SELECT ON embeddings TO {}", role.name));
    migrations(&database.url_text(), &[]).succeeds().says("readable for whoever may read the vectors");
    migrations(&database.url_text(), &[]).succeeds().changes_nothing();
    let its = Database::with_url(server, &database.name, &role.url(&database));
    let across = "search_across($1::text::public.vector)";
    assert_eq!(found(&its, across, 5), found(&database, across, 5));
    database.execute(&format!(
        "ALTER TABLE embeddings ENABLE ROW LEVEL SECURITY;
         CREATE POLICY small ON embeddings FOR SELECT TO {} USING (repo_name LIKE 'small%')",
        role.name
    ));
    let (rows, way) = found(&its, across, 5);
    assert!(way != "halfvec", "the codes know nothing of policies");
    assert_eq!(rows.len(), 10);
    assert!(rows.iter().all(|row| row.starts_with("small")), "{rows:#?}");
    database.execute(&format!("REVOKE SELECT ON embeddings FROM {}", role.name));
    migrations(&database.url_text(), &[]).succeeds();
    let error = its.error("TABLE db_service.embedding_codes");
    assert!(error.contains("permission denied"), "{error}");
    database.execute(&format!("DROP POLICY small ON embeddings; DROP OWNED BY {}", role.name));
    Passed
}

/// What an owner may do stands in no list of rights.
fn the_owner_of_the_vectors_finds_them_by_codes_that_are_somebody_elses(server: &TestServer) -> Verdict {
    let role = Role::new(server);
    let database = filled(server);
    database.execute(&format!("ALTER TABLE embeddings OWNER TO {}", role.name));
    migrations(&database.url_text(), &[]).succeeds().says("readable for whoever may read the vectors");
    migrations(&database.url_text(), &[]).succeeds().changes_nothing();
    let its = Database::with_url(server, &database.name, &role.url(&database));
    let across = "search_across($1::text::public.vector)";
    let (rows, way) = found(&its, across, 5);
    assert_eq!((rows, way.as_str()), (found(&database, across, 5).0, "halfvec"));
    database.execute(&format!("ALTER TABLE embeddings OWNER TO CURRENT_ROLE; DROP OWNED BY {}", role.name));
    migrations(&database.url_text(), &[]).succeeds().changes_nothing();
    Passed
}

fn a_plain_table_is_searched_too(server: &TestServer) -> Verdict {
    let database = filled(server);
    migrations(&database.url_text(), &["revert", "--yes"]).succeeds();
    let across = "search_across($1::text::public.vector)";
    let (rows, way) = found(&database, across, 5);
    assert_eq!((rows.len(), way.as_str()), (10, "hnsw"));
    assert_eq!(database.text("SELECT count(*)::text FROM db_service.embedding_codes"), "0", "they would be stale");
    let exact = "search_in_repository('small3', $1::text::public.vector)";
    assert_eq!(found(&database, exact, 5).0, nearest(&database, "repo_name = 'small3'", 10, 5));
    Passed
}

fn the_command_line_finds_what_is_stored(server: &TestServer) -> Verdict {
    let database = filled(server);
    let url = database.url_text();
    let search = |arguments: &[&str]| migrations(&url, &[&["search"], arguments].concat());
    search(&["--like", "src/file1901", "-k", "2"])
        .succeeds()
        .prints("0.0000  small21  src/file1901")
        .prints("2 found by halfvec");
    search(&["--like", "src/file2", "--repository", "large"])
        .succeeds()
        .prints("0.0000  large  src/file2#1")
        .prints("found by hnsw");
    search(&["--like", "src/file1901", "--repository", "small21", "--recall", "exact"])
        .succeeds()
        .prints("5 found by exact");
    search(&["--like", "src/file1", "--model", "nobody"]).exits(2).says("no vector is stored for path `src/file1`");
    search(&["--like", "src/file1", "-k", "0"]).exits(2).says("cannot search: k is the number of rows wanted");
    search(&["--vector", "/nowhere"]).exits(2).says("cannot read `/nowhere`");
    search(&[]).exits(2).says("--like");
    let json = search(&["--like", "src/file1901", "-k", "1", "--json"]).succeeds().json();
    assert_eq!(json["steps"][0]["facts"]["repository"], "small21", "{json:#}");
    let empty = Database::at(server, Stage::Ecto);
    migrations(&empty.url_text(), &["search", "--like", "x"]).exits(2).says("no vector is stored");
    Passed
}

fn the_command_line_shows_the_plans_that_ran(server: &TestServer) -> Verdict {
    let role = Role::new(server);
    let database = filled(server);
    let url = database.url_text();
    let explain = |url: &str, more: &[&str]| {
        migrations(url, &[&["search", "--like", "src/file1901", "-k", "2", "--explain"], more].concat())
    };
    explain(&url, &[])
        .succeeds()
        .prints("Index Scan using embedding_codes_halfvec on embedding_codes c (actual time=")
        .prints("using embeddings_pkey")
        .prints("2 found by halfvec");
    let said = explain(&url, &["--repository", "small21", "--recall", "exact"]).succeeds().stdout;
    assert!(!said.contains("never executed") && !said.contains("cost="), "{said}");
    assert!(said.lines().all(|line| line.chars().count() < 400), "a vector is shown in full: {said}");
    let json = explain(&url, &["--json"]).succeeds().json();
    let plans = json["steps"].as_array().unwrap().iter().filter(|step| step["object"] == "plan");
    let plans: Vec<_> = plans.map(|step| &step["facts"]).collect();
    // The last one is the search itself, in which all others ran.
    let all = plans.last().unwrap()["milliseconds"].as_f64().unwrap();
    let of_codes = plans.iter().find(|plan| plan["plan"].to_string().contains("embedding_codes_halfvec")).unwrap();
    assert!(plans.len() > 5 && of_codes["milliseconds"].as_f64().unwrap() <= all, "{json:#}");
    database.execute(&format!("GRANT SELECT ON embeddings TO {}", role.name));
    migrations(&url, &[]).succeeds();
    explain(&role.url(&database), &[]).exits(1).says("auto_explain").says("ask as a superuser");
    database.execute(&format!("DROP OWNED BY {}", role.name));
    Passed
}

/// Its statements as they stand in the file: names, numbers of arguments and columns.
fn what_the_elixir_module_asks_is_there(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    let module = fs::read_to_string(project().join("singularity_app/lib/singularity/search.ex")).unwrap();
    let text_between = |from: &str| {
        let parts = module.split(from).skip(1);
        parts.map(|part| part.split_once('"').unwrap().0.to_owned()).collect::<Vec<_>>()
    };
    let [select] = &text_between("Repo.query!(\"")[..] else { panic!("one statement for all") };
    let calls = text_between("run(\"");
    assert_eq!(calls.len(), 3, "{calls:?}");
    for call in calls {
        database.execute(&format!("PREPARE asked AS {select}{call}; DEALLOCATE asked"));
    }
    Passed
}
