//! A URL that other tools share, and what they are told besides: libpq's variables, the password file.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use crate::Verdict::{self, Passed, Skipped};
use crate::command::{self, migrations, migrations_command, xtask, xtask_command};
use crate::database::{Database, Stage};
use crate::server::{self, PASSWORD, TestServer, project};

crate::tests![
    what_other_tools_need_is_passed_over_and_said_once,
    quotes_around_a_url_are_taken_off,
    pgsslmode_counts_where_the_url_says_nothing,
    the_password_file_serves_every_tool,
    a_password_file_that_others_may_read_is_not_used,
];

fn what_other_tools_need_is_passed_over_and_said_once(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    let url = format!("{}?application_name=web&pgbouncer=true&schema=public&pool_size=3", database.url_text());
    let note =
        "passed over in the database URL, since it changes nothing here: `application_name`, `pgbouncer`, `schema`";
    for run in [migrations(&url, &["--json"]), xtask(&["db-setup", "--json", "--database-url", &url])] {
        assert_eq!(run.stderr.matches(&format!("note: {note}\n")).count(), 1, "{}", run.stderr);
        let json = run.succeeds().json();
        assert!(json["notes"].as_array().unwrap().iter().any(|said| said == note), "{json}");
    }
    Passed
}

fn quotes_around_a_url_are_taken_off(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    for quote in ['"', '\''] {
        migrations(&format!("{quote}{}{quote}", database.url_text()), &[]).succeeds();
    }
    Passed
}

fn with(mut command: Command, variable: &str, value: impl AsRef<std::ffi::OsStr>) -> command::Run {
    command.env(variable, value);
    command::run(command)
}

fn pgsslmode_counts_where_the_url_says_nothing(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    if database.text("SHOW ssl") == "on" {
        return Skipped("this server offers TLS".to_owned());
    }
    let url = database.url_text();
    with(migrations_command(&url, &[]), "PGSSLMODE", "require").exits(1).says("TLS failed");
    let arguments = ["db-setup", "--database-url", &url];
    with(xtask_command(project(), &arguments), "PGSSLMODE", "require").exits(1).says("TLS failed");
    with(migrations_command(&format!("{url}?sslmode=disable"), &[]), "PGSSLMODE", "require").succeeds();
    with(migrations_command(&url, &[]), "PGSSLMODE", "maybe")
        .exits(2)
        .says("the variable `PGSSLMODE` has the value `maybe`");
    Passed
}

/// A password file for the server, and the URL of a database without the password.
fn password_file(folder: &Path, database: &Database<'_>) -> (std::path::PathBuf, String) {
    let target = database.url.for_sqlx();
    let (host, port, user) = (target.get_host(), target.get_port(), target.get_username());
    let file = folder.join("passwords");
    let password = PASSWORD.replace('\\', "\\\\").replace(':', "\\:");
    fs::write(&file, format!("elsewhere:*:*:*:wrong\n{host}:{port}:*:{user}:{password}\n")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    (file, format!("postgres://{user}@{host}:{port}/{}", database.name))
}

fn the_password_file_serves_every_tool(server: &TestServer) -> Verdict {
    if server::password(&server.named("postgres").url).as_deref() != Some(PASSWORD) {
        return Skipped("the server is another's".to_owned());
    }
    let (folder, database) = (tempfile::tempdir().unwrap(), Database::empty(server));
    let (file, url) = password_file(folder.path(), &database);
    let seen = folder.path().join("seen");
    let release = format!("printf %s \"$DATABASE_URL\" > '{}'; echo \"$DATABASE_URL\"", seen.display());
    let arguments = ["db-setup", "--ecto-command", &release, "--database-url", &url];
    // That none of its output shows the password is asked of every run.
    with(xtask_command(project(), &arguments), "PGPASSFILE", &file).exits(1).says("is still pending").says("***");
    assert_eq!(fs::read_to_string(seen).unwrap(), database.url.for_ecto());
    with(migrations_command(&url, &["status"]), "PGPASSFILE", &file).exits(4).says("Ecto migration(s) are pending");
    Passed
}

fn a_password_file_that_others_may_read_is_not_used(server: &TestServer) -> Verdict {
    let (folder, database) = (tempfile::tempdir().unwrap(), Database::at(server, Stage::All));
    let (file, url) = password_file(folder.path(), &database);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let run = with(migrations_command(&url, &[]), "PGPASSFILE", &file).says("which others may read");
    if server.kind == crate::server::Kind::Embedded {
        run.exits(1).says("the server refused the login");
    }
    Passed
}
