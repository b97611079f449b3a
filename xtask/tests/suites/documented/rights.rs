//! Rights and extensions.

use super::{Messages, refused};
use crate::command::xtask;
use crate::database::Database;
use crate::role::Role;
use crate::server::{Kind, TestServer, container_with_preload};

pub(super) const MESSAGES: Messages = Messages {
    page: "README.md",
    heading: "### Rights and extensions",
    rows: &[
        ("permission denied to create database", |server| {
            let role = Role::new(server);
            refused(&xtask(&["db-setup", "--database-url", &role.url(&Database::absent(server))]))
        }),
        ("cannot install extension `vector` … the role may not create it", |server| {
            let role = Role::new(server);
            let database = Database::empty(server);
            let is_trusted = "SELECT bool_or(trusted) FROM pg_available_extension_versions WHERE name = 'vector'";
            if database.truth(is_trusted) {
                return Err("here, anybody may create the extension".to_owned());
            }
            refused(&xtask(&["db-setup", "--database-url", &role.url(&database)]))
        }),
        ("cannot install extension `vector` … this server does not offer it", |server| {
            let bare = container(server, "")?;
            bare.exec_as_root(&["rm", "/usr/share/postgresql/17/extension/vector.control"]);
            refused(&xtask(&["db-setup", "--database-url", &Database::empty(&bare).url_text()]))
        }),
        ("cannot install extension `…` … this server does not offer it", |server| {
            let missing = ["vectors", "timescaledb"].into_iter().find(|name| !server.offers(name));
            let missing = missing.ok_or("this server offers every extension")?;
            let url = Database::empty(server).url_text();
            refused(&xtask(&["db-setup", "--require", missing, "--database-url", &url]))
        }),
        ("library `timescaledb` is not in `shared_preload_libraries`", |server| {
            let bare = container(server, "pg_stat_statements")?;
            let url = Database::empty(&bare).url_text();
            refused(&xtask(&["db-setup", "--require", "timescaledb", "--database-url", &url]))
        }),
        ("library `timescaledb` is not loaded before PostgreSQL is restarted", |server| {
            let bare = container(server, "")?;
            let database = Database::empty(&bare);
            database.execute("ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements', 'timescaledb'");
            refused(&xtask(&["db-setup", "--require", "timescaledb", "--database-url", &database.url_text()]))
        }),
        ("names no extension that the project knows", |server| {
            let url = server.named("x").url_text();
            refused(&xtask(&["db-setup", "--require", "pgvecto_rs", "--database-url", &url]))
        }),
        ("Left out environment `prod`", |server| {
            let role = Role::new(server);
            let database = Database::empty(server);
            database.execute("CREATE EXTENSION vector");
            database.execute(&format!("ALTER DATABASE {} OWNER TO {}", database.name, role.name));
            let url = role.url(&database);
            Ok(xtask(&["db-setup", "--layers", "bootstrap", "--database-url", &url]).succeeds().stderr)
        }),
        ("has the encoding SQL_ASCII, not UTF8", |server| {
            let database = Database::absent(server);
            server.named("postgres").execute(&format!(
                "CREATE DATABASE {} ENCODING 'SQL_ASCII' LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0",
                database.name
            ));
            refused(&xtask(&["db-setup", "--database-url", &database.url_text()]))
        }),
    ],
};

/// A server that may be spoiled.
fn container(server: &TestServer, preload: &str) -> Result<TestServer, String> {
    if server.kind != Kind::Container {
        return Err("needs a server of its own that can be spoiled, a container".to_owned());
    }
    container_with_preload(preload)
}
