//! The first layer: databases and extensions.

use crate::Verdict::{self, Passed, Skipped};
use crate::command::{xtask, xtask_command};
use crate::database::Database;
use crate::relay::{self, End, Moment};
use crate::role::Role;
use crate::server::{Kind, TestServer, container_with_preload, project};

crate::tests![
    a_new_database_is_as_ecto_would_create_it,
    what_is_in_template1_stays_there,
    the_environment_is_written_into_the_database,
    extensions_come_by_policy,
    a_second_run_changes_nothing,
    a_dry_run_changes_nothing,
    no_schema_is_created,
    a_name_may_hold_quotes_and_spaces,
    a_required_extension_that_is_missing_is_an_error,
    a_role_without_rights_is_told_so,
    a_database_in_another_encoding_is_refused,
    the_time_zone_is_set_even_if_a_run_was_killed_after_create_database,
    an_extension_that_is_not_preloaded_is_left_out,
    what_waits_for_a_restart_is_regarded,
    a_server_without_pgvector_is_refused,
    pgvecto_rs_is_installed_where_it_is_offered,
];

fn bootstrap(database: &Database<'_>, more: &[&str]) -> crate::command::Run {
    let url = database.url_text();
    let arguments = [&["db-setup", "--layers", "bootstrap", "--database-url", &url], more].concat();
    xtask(&arguments)
}

fn a_new_database_is_as_ecto_would_create_it(server: &TestServer) -> Verdict {
    let database = Database::absent(server);
    bootstrap(&database, &[]).succeeds();
    assert_eq!(database.text("SHOW server_encoding"), "UTF8");
    let settings = "SELECT unnest(setconfig) FROM pg_db_role_setting WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY 1";
    assert_eq!(database.column(settings), ["TimeZone=Etc/UTC", "singularity.environment=prod"]);
    Passed
}

fn what_is_in_template1_stays_there(server: &TestServer) -> Verdict {
    let template = server.named("template1");
    template.execute("CREATE TABLE left_behind ()");
    let database = Database::absent(server);
    let run = bootstrap(&database, &[]);
    template.execute("DROP TABLE left_behind");
    run.succeeds();
    assert!(!database.truth("SELECT to_regclass('left_behind') IS NOT NULL"));
    Passed
}

fn the_environment_is_written_into_the_database(server: &TestServer) -> Verdict {
    let database = Database::empty(server);
    bootstrap(&database, &["--environment", "test"]).succeeds();
    assert_eq!(database.text("SHOW singularity.environment"), "test");
    bootstrap(&database, &[]).succeeds();
    assert_eq!(database.text("SHOW singularity.environment"), "test", "a mark is only changed when asked");
    bootstrap(&database, &["--environment", "dev"]).succeeds();
    assert_eq!(database.text("SHOW singularity.environment"), "dev");
    Passed
}

fn extensions_come_by_policy(server: &TestServer) -> Verdict {
    let database = Database::empty(server);
    let json = bootstrap(&database, &["--json"]).succeeds().json();
    let status = |name: &str| {
        let steps = json["steps"].as_array().unwrap();
        let step = steps.iter().find(|step| step["object"] == "extension" && step["name"] == name).unwrap();
        step["status"].as_str().unwrap().to_owned()
    };
    assert_eq!(status("vector"), "created");
    let preloaded = server.named("postgres").text("SHOW shared_preload_libraries");
    for name in ["vectors", "vchord", "timescaledb"] {
        let can_be_had = server.offers(name) && preloaded.contains(name);
        assert_eq!(status(name), if can_be_had { "created" } else { "left_out" }, "{name}");
        let there = format!("SELECT EXISTS (SELECT 1 FROM pg_extension WHERE extname = '{name}')");
        assert_eq!(database.truth(&there), can_be_had, "{name}");
    }
    assert_eq!(
        database.text("SELECT extnamespace::regnamespace::text FROM pg_extension WHERE extname = 'vector'"),
        "public"
    );
    Passed
}

fn a_second_run_changes_nothing(server: &TestServer) -> Verdict {
    let database = Database::empty(server);
    bootstrap(&database, &[]).succeeds();
    let json = bootstrap(&database, &["--json"]).succeeds().json();
    assert_eq!(json["outcome"], "unchanged");
    Passed
}

fn a_dry_run_changes_nothing(server: &TestServer) -> Verdict {
    let database = Database::absent(server);
    bootstrap(&database, &["--dry-run"]).exits(3).says("Pending database").says("Pending extension `vector`");
    let exists = format!("SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = '{}')", database.name);
    assert!(!server.named("postgres").truth(&exists));
    Passed
}

fn no_schema_is_created(server: &TestServer) -> Verdict {
    let database = Database::empty(server);
    bootstrap(&database, &[]).succeeds();
    let ours = "SELECT c.oid::regclass::text FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e') AND relkind IN ('r', 'v', 'S')";
    assert_eq!(database.column(ours), Vec::<String>::new());
    assert!(!database.truth("SELECT to_regnamespace('db_service') IS NOT NULL"));
    Passed
}

fn a_name_may_hold_quotes_and_spaces(server: &TestServer) -> Verdict {
    let mut database = Database::absent(server);
    database.name = format!("{} \"it's\" a%b", database.name);
    database.url = server.url.database(&database.name);
    xtask(&["db-setup", "--ecto", "load", "--database-url", &database.url_text()]).succeeds();
    assert_eq!(database.text("SELECT current_database()::text"), database.name);
    xtask(&["db-setup", "--ecto", "load", "--database-url", &database.url_text()])
        .succeeds()
        .says("Unchanged bootstrap");
    Passed
}

fn a_required_extension_that_is_missing_is_an_error(server: &TestServer) -> Verdict {
    let missing = ["vectors", "vchord", "timescaledb"].into_iter().find(|name| !server.offers(name));
    let Some(missing) = missing else { return Skipped("this server offers every extension".into()) };
    let database = Database::empty(server);
    bootstrap(&database, &["--require", missing])
        .exits(1)
        .says(&format!("error: cannot install extension `{missing}` in database `{}`", database.name))
        .says("caused by: this server does not offer it")
        .says("hint: ");
    assert!(
        !database.truth("SELECT EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'vector')"),
        "checked before changed"
    );
    bootstrap(&database, &["--require", "pgvecto_rs"])
        .exits(2)
        .says("names no extension that the project knows")
        .says("vectors");
    Passed
}

fn a_role_without_rights_is_told_so(server: &TestServer) -> Verdict {
    let role = Role::new(server);
    let absent = Database::absent(server);
    xtask(&["db-setup", "--database-url", &role.url(&absent)])
        .exits(1)
        .says(&format!("error: cannot create database `{}`", absent.name))
        .says("permission denied to create database")
        .says("hint: the role lacks a right");

    let empty = Database::empty(server);
    let trusted = empty.truth("SELECT bool_or(trusted) FROM pg_available_extension_versions WHERE name = 'vector'");
    let run = xtask(&["db-setup", "--layers", "bootstrap", "--database-url", &role.url(&empty)]).exits(1);
    if !trusted {
        run.says("cannot install extension `vector`")
            .says("the role may not create it")
            .says("have a superuser run `CREATE EXTENSION vector`");
    }

    // With the extension there, the mark is all that is missing; it is left out, and said.
    empty.execute("CREATE EXTENSION vector");
    empty.execute(&format!("ALTER DATABASE {} OWNER TO {}", empty.name, role.name));
    xtask(&["db-setup", "--layers", "bootstrap", "--database-url", &role.url(&empty)])
        .succeeds()
        .says("Left out environment `prod`")
        .says("GRANT SET ON PARAMETER");
    Passed
}

fn a_database_in_another_encoding_is_refused(server: &TestServer) -> Verdict {
    let database = Database::absent(server);
    server.named("postgres").execute(&format!(
        "CREATE DATABASE {} ENCODING 'SQL_ASCII' LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0",
        database.name
    ));
    bootstrap(&database, &[]).exits(1).says("has the encoding SQL_ASCII, not UTF8");
    Passed
}

fn the_time_zone_is_set_even_if_a_run_was_killed_after_create_database(server: &TestServer) -> Verdict {
    let database = Database::absent(server);
    let end = relay::run(&database.url, Moment::Text("ALTER DATABASE"), |url| {
        xtask_command(project(), &["db-setup", "--layers", "bootstrap", "--database-url", url])
    });
    if end != End::Killed {
        return Skipped("the connection is encrypted, so that nobody sees when to kill".into());
    }
    let settings = "SELECT coalesce((SELECT setconfig::text FROM pg_db_role_setting WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())), '')";
    assert_eq!(database.text(settings), "", "killed too late");
    bootstrap(&database, &[]).succeeds();
    assert_eq!(database.text(settings), "{TimeZone=Etc/UTC,singularity.environment=prod}");
    Passed
}

fn an_extension_that_is_not_preloaded_is_left_out(server: &TestServer) -> Verdict {
    if server.kind != Kind::Container {
        return Skipped("needs a server of its own with TimescaleDB, which only the container has".into());
    }
    let bare = container_with_preload("pg_stat_statements").unwrap();
    let database = Database::empty(&bare);
    bootstrap(&database, &[])
        .succeeds()
        .says("Left out extension `timescaledb`")
        .says("library `timescaledb` is not in `shared_preload_libraries`")
        .says("start PostgreSQL with `-c shared_preload_libraries=pg_stat_statements,timescaledb` in place of");
    bootstrap(&database, &["--require", "timescaledb"]).exits(1).says("cannot install extension `timescaledb`");
    Passed
}

fn what_waits_for_a_restart_is_regarded(server: &TestServer) -> Verdict {
    if server.kind != Kind::Container {
        return Skipped("needs a server of its own with TimescaleDB, which only the container has".into());
    }
    let bare = container_with_preload("").unwrap();
    let database = Database::empty(&bare);
    bootstrap(&database, &[]).succeeds().says("ALTER SYSTEM SET shared_preload_libraries = 'timescaledb'`");
    database.execute("ALTER SYSTEM SET shared_preload_libraries = 'auto_explain'");
    let both = "ALTER SYSTEM SET shared_preload_libraries = 'auto_explain', 'timescaledb'";
    bootstrap(&database, &[]).succeeds().says(both);
    database.execute(both);
    bootstrap(&database, &[]).succeeds().says("is not loaded before PostgreSQL is restarted");
    Passed
}

fn a_server_without_pgvector_is_refused(server: &TestServer) -> Verdict {
    if server.kind != Kind::Container {
        return Skipped("needs a server of its own that can be spoiled, a container".into());
    }
    let bare = container_with_preload("").unwrap();
    bare.exec_as_root(&["rm", "/usr/share/postgresql/17/extension/vector.control"]);
    let database = Database::empty(&bare);
    xtask(&["db-setup", "--database-url", &database.url_text()])
        .exits(1)
        .says("cannot install extension `vector`")
        .says("install pgvector on the server (Debian: `postgresql-17-pgvector`)");
    Passed
}

fn pgvecto_rs_is_installed_where_it_is_offered(server: &TestServer) -> Verdict {
    if !server.offers("vectors") {
        return Skipped("this server does not offer pgvecto.rs".into());
    }
    let database = Database::empty(server);
    bootstrap(&database, &["--require", "vectors"]).succeeds().says("VectorChord");
    assert_eq!(
        database.text("SELECT extnamespace::regnamespace::text FROM pg_extension WHERE extname = 'vectors'"),
        "vectors"
    );
    Passed
}
