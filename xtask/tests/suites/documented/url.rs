//! URLs, and what answers them or does not.

use std::net::TcpListener;

use super::{Messages, refused};
use crate::command::{migrations, migrations_command, run, xtask};
use crate::database::{Database, Stage};
use crate::pooler::Pooler;

pub(super) const MESSAGES: Messages = Messages {
    page: "README.md",
    heading: "### URL and server",
    rows: &[
        ("its scheme is `mysql`, not `postgres`", |_| refused(&migrations("mysql://u:p@h/d", &[]))),
        ("it is not a URL", |_| refused(&migrations("postgres://u:p/w@h/d", &[]))),
        ("it names several hosts", |_| refused(&migrations("postgres://u@a:1,b:2/d", &[]))),
        ("it has the parameter `sslcert`, which not every tool understands", |_| {
            refused(&migrations("postgres://u@h/d?sslcert=c.pem", &[]))
        }),
        ("… and a database URL name two servers", |server| {
            let url = server.named("x").url_text();
            refused(&xtask(&["db-setup", "--server", "embedded", "--database-url", &url]))
        }),
        ("the database URL names no database", |server| refused(&migrations(&server.url.for_libpq(), &[]))),
        ("nothing answers there", |_| refused(&migrations("postgres://u@127.0.0.1:1/d", &[]))),
        ("no answer within … s", |_| {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            refused(&migrations(&format!("postgres://u@{address}/d?connect_timeout=1"), &[]))
        }),
        ("the connection came about, but no statement had an answer within … s", |server| {
            let database = Database::at(server, Stage::Ecto);
            let pooler = Pooler::start(&database, "pool_mode = session\ndefault_pool_size = 1")?;
            refused(&migrations(&format!("{}?connect_timeout=1", pooler.url(&database.name)), &[]))
        }),
        ("unsupported startup parameter", |server| {
            let database = Database::at(server, Stage::Ecto);
            let pooler = Pooler::start(&database, "pool_mode = session")?;
            refused(&migrations(&format!("{}?options=-c%20geqo%3Doff", pooler.url(&database.name)), &[]))
        }),
        ("the server refused the login: password authentication failed", |server| {
            refused(&migrations(&server.named("postgres").url_as("postgres:wrong"), &[]))
        }),
        ("database `…` does not exist", |server| refused(&migrations(&Database::absent(server).url_text(), &[]))),
        ("TLS failed", |server| {
            let postgres = server.named("postgres");
            if postgres.text("SHOW ssl") == "on" {
                return Err("this server offers TLS".to_owned());
            }
            refused(&migrations(&format!("{}?sslmode=require", postgres.url_text()), &[]))
        }),
    ],
};

/// All that a URL may not be.
pub(super) const RULES: Messages = Messages {
    page: "docs/operations.md",
    heading: "## The URL",
    rows: &[
        ("its scheme is `…`, not `postgres`", |_| refused(&migrations("mysql://u@h/d", &[]))),
        ("it is not a URL", |_| refused(&migrations("h/d", &[]))),
        ("it holds a `#`", |_| refused(&migrations("postgres://u:p@h/d#e", &[]))),
        ("its path has more than one segment", |_| refused(&migrations("postgres://u@h/a/b", &[]))),
        ("it names no host", |_| refused(&migrations("postgres:///d", &[]))),
        ("it names several hosts", |_| refused(&migrations("postgres://u@h/d?host=a,b", &[]))),
        ("its … is not UTF-8", |_| refused(&migrations("postgres://u@h/%FF", &[]))),
        ("it has the parameter `…`, which not every tool understands", |_| {
            refused(&migrations("postgres://u@h/d?sslcert=c.pem", &[]))
        }),
        ("its parameter `…` names `…`, not `public`", |_| refused(&migrations("postgres://u@h/d?schema=app", &[]))),
        ("its `options` set `…`, which Ecto would not", |_| {
            refused(&migrations("postgres://u@h/d?options=-c%20role%3Dapp", &[]))
        }),
        ("`…` and `sslmode` contradict each other", |_| {
            refused(&migrations("postgres://u@h/d?ssl=true&sslmode=disable", &[]))
        }),
        ("its parameter `…` has the value `…`", |_| refused(&migrations("postgres://u@h/d?sslmode=maybe", &[]))),
        ("its parameter `…` is no number", |_| refused(&migrations("postgres://u@h/d?pool_size=many", &[]))),
        ("the variable `…` has the value `…`", |_| {
            let mut command = migrations_command("postgres://u@h/d", &[]);
            command.env("PGSSLMODE", "maybe");
            refused(&run(command))
        }),
    ],
};
