//! Bad input: each gets a message with what, why and next, and its exit code.

use std::io::Write as _;
use std::net::TcpListener;

use crate::Verdict::{self, Passed, Skipped};
use crate::command::{self, migrations, project_copy, xtask, xtask_command};
use crate::database::Database;
use crate::server::{Kind, TestServer, standby};

crate::tests![
    a_url_of_another_database_is_a_usage_error,
    a_url_that_is_none_is_a_usage_error,
    two_servers_are_a_usage_error,
    no_url_is_a_usage_error,
    an_unreachable_host_is_named,
    a_wrong_password_is_told_from_a_missing_database,
    something_that_is_no_postgresql_is_not_waited_for,
    another_program_that_answers_is_named,
    an_empty_variable_names_no_database,
    the_log_outlives_the_server,
    tls_that_cannot_be_had_is_not_left_out,
    a_url_in_the_wrong_place_shows_no_password,
    a_standby_is_named_before_anything_is_tried,
];

fn a_url_of_another_database_is_a_usage_error(_: &TestServer) -> Verdict {
    let typed = xtask(&["db-setup", "--database-url", "mysql://u:s3cr@t/pass#1@h/d"]);
    let of_variable = migrations("mysql://u:s3cr%40t@h/d", &[]);
    for (run, named) in [(typed, "\n"), (of_variable, " in the variable `DATABASE_URL`\n")] {
        run.exits(2)
            .says(&format!("error: cannot read the database URL{named}"))
            .says("caused by: its scheme is `mysql`, not `postgres`")
            .says("hint: write `postgres://user:password@host:5432/database`");
    }
    Passed
}

fn a_url_that_is_none_is_a_usage_error(_: &TestServer) -> Verdict {
    xtask(&["db-setup", "--database-url", "s3cr@t/pass#1"]).exits(2).says("it is not a URL");
    xtask(&["db-setup", "--database-url", "postgres://u:s3cr@t/pass#1@h/d"])
        .exits(2)
        .says("percent-encode special characters");
    xtask(&["db-setup", "--database-url", "postgres://u@h/d?sslcert=x"])
        .exits(2)
        .says("parameter `sslcert`")
        .says("hint: remove it");
    Passed
}

fn two_servers_are_a_usage_error(server: &TestServer) -> Verdict {
    let url = server.named("x").url_text();
    xtask(&["db-setup", "--server", "embedded", "--database-url", &url])
        .exits(2)
        .says("name two servers")
        .says("unset DATABASE_URL");
    xtask(&["db-setup", "--server", "url"]).exits(2).says("set DATABASE_URL");
    xtask(&["db-setup", "--layers", "nix"]).exits(2).says("possible values: bootstrap, ecto, sqlx");
    Passed
}

fn no_url_is_a_usage_error(server: &TestServer) -> Verdict {
    migrations("", &[]).exits(2);
    migrations(&server.url.for_libpq(), &[]).exits(2).says("the database URL names no database");
    Passed
}

fn an_unreachable_host_is_named(_: &TestServer) -> Verdict {
    let url = "postgres://postgres:s3cr%40t%2Fpass%231@127.0.0.1:1/x";
    for run in [xtask(&["db-setup", "--database-url", url]), migrations(url, &[])] {
        run.exits(1)
            .says("error: cannot connect to `postgres://postgres:***@127.0.0.1:1/x`")
            .says("caused by: nothing answers there")
            .says("Connection refused")
            .says("hint: check the host and the port");
    }
    Passed
}

fn a_wrong_password_is_told_from_a_missing_database(server: &TestServer) -> Verdict {
    let database = Database::absent(server);
    let url = database.url_as("postgres:wrong");
    xtask(&["db-setup", "--database-url", &url])
        .exits(1)
        .says("the server refused the login: password authentication failed")
        .says("`@` is `%40`");
    migrations(&database.url_text(), &[])
        .exits(1)
        .says(&format!("database `{}` does not exist", database.name))
        .says("hint: create it with `cargo xtask db-setup --database-url <URL>`");
    Passed
}

fn something_that_is_no_postgresql_is_not_waited_for(_: &TestServer) -> Verdict {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://u@{}/d?connect_timeout=1", listener.local_addr().unwrap());
    xtask(&["db-setup", "--database-url", &url]).exits(1).says("no answer within 1 s");
    Passed
}

fn another_program_that_answers_is_named(_: &TestServer) -> Verdict {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://u@{}/d", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            stream.unwrap().write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        }
    });
    for run in [xtask(&["db-setup", "--database-url", &url]), migrations(&url, &[])] {
        run.exits(1).says("what answers there is no PostgreSQL").says("another program listens there");
    }
    Passed
}

fn the_log_outlives_the_server(server: &TestServer) -> Verdict {
    if server.kind != Kind::Embedded {
        return Skipped("starts a server of its own, the same one on every server".to_owned());
    }
    let folder = tempfile::tempdir().unwrap();
    let copy = project_copy(folder.path());
    let ask = |arguments: &[&str]| command::run(xtask_command(&copy, &[&["db-server"], arguments].concat()));
    ask(&["logs"]).exits(1).says("it was never started").says("hint: run `cargo xtask db-server start`");
    ask(&["start", "--server", "embedded"]).succeeds();
    ask(&["stop"]).succeeds();
    assert!(ask(&["logs"]).succeeds().stdout.contains("database system is shut down"));
    Passed
}

fn an_empty_variable_names_no_database(_: &TestServer) -> Verdict {
    migrations("", &["plan"]).exits(2).says("error: no database is named").says("hint: set DATABASE_URL");
    Passed
}

fn tls_that_cannot_be_had_is_not_left_out(server: &TestServer) -> Verdict {
    let database = Database::absent(server);
    let url = format!("{}?sslmode=require", database.url_text());
    xtask(&["db-setup", "--database-url", &url]).exits(1).says("TLS");
    Passed
}

/// Whoever reads the command line quotes what is wrong with it; every run here is checked for the password.
fn a_url_in_the_wrong_place_shows_no_password(_: &TestServer) -> Verdict {
    let url = "postgres://u:s3cr%40t%2Fpass%231@h/d";
    let misspelt = format!("--databse-url={url}");
    let hint = "hint: a database URL is passed by `DATABASE_URL`, or by `--database-url`";
    for arguments in [&["db-setup", url][..], &[url], &["db-setup", "--lock-timeout", url], &["db-setup", &misspelt]] {
        xtask(arguments).exits(2).says("error: ").says(hint);
    }
    for arguments in [&[url][..], &["plan", url], &["--jobs", url], &["--databse-url", url]] {
        let run = migrations("postgres://u@h/d", arguments).exits(2).says(hint);
        assert!(run.stderr.starts_with("error: ") && run.stderr.contains("Usage: ") || run.stderr.contains("'--help'"));
    }
    xtask(&["db-setup", "postgres:s3cr@t/pass#1@h/d"]).exits(2).says("unexpected argument '***'");
    Passed
}

fn a_standby_is_named_before_anything_is_tried(server: &TestServer) -> Verdict {
    if server.kind != Kind::Embedded {
        return Skipped("a standby is made of an embedded server only".to_owned());
    }
    let layer = |url: &str| xtask(&["db-setup", "--ecto", "load", "--environment", "test", "--database-url", url]);
    let prepare = |primary: &TestServer| drop(layer(&primary.named("layer").url_text()).succeeds());
    let standby = match standby(prepare) {
        Ok(standby) => standby,
        Err(reason) => return Skipped(reason),
    };
    let url = standby.named("singularity_standby").url_text();
    let postgres = standby.named("postgres").url_text();
    let hint = "hint: nothing was changed: use a URL of the primary";
    xtask(&["db-setup", "--database-url", &postgres, "--environment", "test"])
        .exits(2)
        .says("is a standby and takes no writes")
        .says(hint);
    xtask(&["db-setup", "--database-url", &url]).exits(2).says(hint);
    let url = standby.named("layer").url_text();
    for arguments in [
        &["create-index", "--table", "code_files", "--columns", "language"][..],
        &["create-index", "--table", "code_files", "--columns", "language", "--dry-run"],
        &["merge", "--table", "code_files", "--leaf", "8/3"],
        &["split", "--table", "code_files", "--leaf", "16/5"],
        &["revert"],
    ] {
        // Before anything is asked, too.
        migrations(&url, arguments).exits(2).says("is a standby and takes no writes").says(hint);
    }
    for (arguments, code) in [
        (&["verify"][..], 0),
        (&["plan"], 0),
        (&["status"], 0),
        (&["advise"], 0),
        (&[], 0),
        (&["split", "--dry-run"], 0),
        (&["merge", "--table", "code_files", "--leaf", "8/3", "--dry-run"], 3),
        (&["revert", "--dry-run"], 3),
    ] {
        migrations(&url, arguments).exits(code);
    }
    Passed
}
