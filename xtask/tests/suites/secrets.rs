//! Whatever the password is, nothing that is printed shows it, and nothing else looks different.

use std::fmt::Write as _;

use crate::Verdict::{self, Passed};
use crate::command::{self, Run, migrations, path_with, project_copy, stand_in_mix, xtask_command};
use crate::database::Database;
use crate::role::Role;
use crate::server::TestServer;

crate::tests![the_password_makes_no_difference_to_what_is_printed];

/// What the others are compared with.
const ORDINARY: &str = "Or/din@ry-7";

/// Those that stand in many other words, or in notations, or in the URL itself; `{role}` and `{database}` are its names.
const PASSWORDS: [&str; 14] = [
    "p",
    "postgres",
    "error",
    "password",
    ".*",
    "(a|e)+",
    "p%40ss",
    "pässwörd",
    "\"",
    "}",
    "{role}",
    "{database}",
    "127.0.0.1",
    "unchanged",
];

fn the_password_makes_no_difference_to_what_is_printed(server: &TestServer) -> Verdict {
    let role = Role::new(server);
    let database = Database::empty(server);
    server.named("postgres").execute(&format!("ALTER ROLE {} SUPERUSER", role.name));
    let expected = printed(server, &role, &database, ORDINARY);
    assert!(expected.contains("ecto://") && expected.contains("cannot connect to"), "{expected}");
    for password in PASSWORDS {
        let password = password.replace("{role}", &role.name).replace("{database}", &database.name);
        let found = printed(server, &role, &database, &password);
        for (expected, found) in expected.lines().zip(found.lines()) {
            assert_eq!(found, expected, "with the password `{password}`");
        }
        assert_eq!(found.lines().count(), expected.lines().count(), "with the password `{password}`");
    }
    Passed
}

/// What several commands print, with durations left out.
fn printed(server: &TestServer, role: &Role<'_>, database: &Database<'_>, password: &str) -> String {
    let quoted = password.replace('\'', "''");
    server.named("postgres").execute(&format!("ALTER ROLE {} PASSWORD '{quoted}'", role.name));
    let login = |password: &str| format!("{}:{}", role.name, encoded(password));
    let url = database.url_as(&login(password));
    let wrong = database.url_as(&login(&format!("{password}{password}")));
    let port = server.url.port();
    let nobody = url.replace(&format!(":{port}/"), ":1/");
    let folder = tempfile::tempdir().unwrap();
    let copy = project_copy(folder.path());
    let shout =
        "echo \"$DATABASE_URL\"; echo \"[username: postgres, password: \\\"$SHOUTED\\\", error: true]\"; exit 1";
    let bin = stand_in_mix(folder.path(), shout);
    let setup = |arguments: &[&str], url: &str| {
        let mut command = xtask_command(&copy, &[arguments, &["--database-url", url]].concat());
        command.env("PATH", path_with(&bin)).env("SHOUTED", password);
        command::run(command)
    };
    let bootstrap = ["db-setup", "--layers", "bootstrap", "--environment", "dev"];
    let runs: [Run; 10] = [
        setup(&bootstrap, &url),
        setup(&bootstrap, &url),
        setup(&[&bootstrap[..], &["--json"]].concat(), &url),
        setup(&["db-setup"], &url),
        setup(&["db-setup", "--json"], &url),
        setup(&["db-setup"], &wrong),
        setup(&["db-setup", "--json"], &wrong),
        migrations(&nobody, &[]),
        migrations(&wrong, &["status", "--json"]),
        migrations(&url, &["plan"]),
    ];
    let mut text = String::new();
    for (index, run) in runs.iter().enumerate().skip(1) {
        write!(text, "run {index}: {}\n{}{}", run.code, run.stdout, run.stderr).unwrap();
    }
    let shown = text.replace(&folder.path().to_string_lossy().into_owned(), "FOLDER");
    // Of durations, digits and units differ.
    let lines = shown.lines().filter(|line| !line.contains("\"milliseconds\""));
    lines
        .map(|line| line.replace(|it: char| it.is_ascii_digit() || it == '.', "").replace(" ms)", " s)") + "\n")
        .collect()
}

fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        write!(encoded, "%{byte:02X}").unwrap();
        encoded
    })
}
