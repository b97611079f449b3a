//! Databases of tests: each its own, dropped at its end, copied from a template where one is enough.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash as _, Hasher as _};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ::database::{DatabaseUrl, connection, quote};
use ledger::structure;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, Row as _};

use crate::server::{TestServer, project};
use crate::{command, searchable};

/// A database of a test server.
pub(crate) struct Database<'a> {
    server: &'a TestServer,
    pub(crate) name: String,
    pub(crate) url: DatabaseUrl,
    is_ours: bool,
    /// Who runs the programs, where that is not the role of the tests.
    runner: Option<String>,
}

/// How far a template is set up.
#[derive(Clone, Copy)]
pub(crate) enum Stage {
    Ecto,
    /// The layer is there, and its tables are plain; `code_files` is to be laid out, `embeddings` is not.
    Declared,
    All,
    /// The same, with vectors to search, see [`searchable`].
    Searchable,
}

impl<'a> Database<'a> {
    pub(crate) fn new(server: &'a TestServer, name: &str) -> Self {
        Self { server, name: name.to_owned(), url: server.url.database(name), is_ours: false, runner: None }
    }

    /// A database that is there, with another login.
    pub(crate) fn with_url(server: &'a TestServer, name: &str, url: &str) -> Self {
        let url = DatabaseUrl::parse(url).unwrap();
        Self { server, name: name.to_owned(), url, is_ours: false, runner: None }
    }

    /// A name of its own; whatever database comes to have it is dropped in the end.
    pub(crate) fn absent(server: &'a TestServer) -> Self {
        let mut database = Self::new(server, &server.unused_name());
        database.is_ours = true;
        database
    }

    pub(crate) fn empty(server: &'a TestServer) -> Self {
        let database = Self::absent(server);
        database.create("ENCODING 'UTF8' TEMPLATE template0");
        database
    }

    /// Set up by `db-setup`, once for all tests.
    pub(crate) fn at(server: &'a TestServer, stage: Stage) -> Self {
        let template = template(server, stage);
        let database = Self::absent(server);
        database.create(&format!("TEMPLATE {}", quote::identifier(&template)));
        // A copy has no settings of its own.
        for setting in ["timezone = 'Etc/UTC'", "singularity.environment = 'prod'"] {
            database.execute(&format!("ALTER DATABASE {} SET {setting}", database.name));
        }
        database
    }

    fn create(&self, rest: &str) {
        self.server.named("postgres").execute(&format!("CREATE DATABASE {} {rest}", quote::identifier(&self.name)));
    }

    pub(crate) fn drop_if_exists(&self) {
        let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", quote::identifier(&self.name));
        self.server.named("postgres").execute(&statement);
    }

    /// The URL as a person would pass it, password and all.
    pub(crate) fn url_text(&self) -> String {
        self.url.for_libpq()
    }

    /// The same, the programs run by another role: `user:password` percent-encoded.
    pub(crate) fn run_by(mut self, login: String) -> Self {
        self.runner = Some(login);
        self
    }

    /// The URL with which the programs are run.
    pub(crate) fn runner_text(&self) -> String {
        self.runner.as_ref().map_or_else(|| self.url_text(), |login| self.url_as(login))
    }

    /// The same with another login, `user:password` percent-encoded.
    pub(crate) fn url_as(&self, login: &str) -> String {
        let text = self.url_text();
        let (_, rest) = text.split_once('@').unwrap();
        format!("postgres://{login}@{rest}")
    }

    pub(crate) fn execute(&self, sql: &str) {
        self.with(async |connection| sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(connection).await.map(drop))
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// What the server says to a statement that fails.
    #[track_caller]
    pub(crate) fn error(&self, sql: &str) -> String {
        let sql = AssertSqlSafe(sql.to_owned());
        let result = self.with(async |connection| sqlx::raw_sql(sql).execute(connection).await);
        result.expect_err("it was to fail").to_string()
    }

    /// One value, as text.
    pub(crate) fn text(&self, sql: &str) -> String {
        self.rows(sql).first().map(|row| row.get::<String, _>(0)).unwrap_or_default()
    }

    pub(crate) fn truth(&self, sql: &str) -> bool {
        self.rows(sql).first().is_some_and(|row| row.get(0))
    }

    /// The first column of every row.
    pub(crate) fn column(&self, sql: &str) -> Vec<String> {
        self.rows(sql).iter().map(|row| row.get(0)).collect()
    }

    fn rows(&self, sql: &str) -> Vec<PgRow> {
        self.with(async |connection| sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_all(connection).await)
            .unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// Waits for a state; fails where it does not come.
    pub(crate) fn wait(&self, until: &str) {
        self.with(async |connection| wait(connection, until).await);
    }

    /// What `pg_dump` says.
    pub(crate) fn pg_dump(&self, arguments: &[&str]) -> String {
        let output = self.server.pg_dump(&self.url).args(arguments).stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "pg_dump failed: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// `psql`, connected to it.
    pub(crate) fn psql(&self) -> Command {
        self.server.psql(&self.url)
    }

    /// The normal form of the schema, with the versions of both ledgers.
    pub(crate) fn dump(&self) -> String {
        let text = self.pg_dump(&["--schema-only", "--no-owner", "--no-acl"]);
        let versions = self.column("SELECT version::text FROM public.schema_migrations s ORDER BY s.version");
        let versions: Vec<i64> = versions.iter().map(|version| version.parse().unwrap()).collect();
        structure::normalise(&text, &versions)
    }

    /// Runs something on a connection that is closed afterwards.
    pub(crate) fn with<T>(&self, work: impl AsyncFnOnce(&mut PgConnection) -> T) -> T {
        command::block_on(async {
            let mut connection =
                connection::connect(&self.url).await.unwrap_or_else(|error| panic!("{error}: {}", error.cause));
            let result = work(&mut connection).await;
            connection::close(connection).await;
            result
        })
    }
}

impl Drop for Database<'_> {
    fn drop(&mut self) {
        // After a failure something may hold it, a subscription say: a second panic would end all tests.
        if self.is_ours && !std::thread::panicking() {
            self.drop_if_exists();
        }
    }
}

/// Waits for a state; fails where it does not come.
pub(crate) async fn wait(connection: &mut PgConnection, until: &str) {
    let started = Instant::now();
    while !sqlx::query_scalar::<_, bool>(AssertSqlSafe(until.to_owned())).fetch_one(&mut *connection).await.unwrap() {
        assert!(started.elapsed() < Duration::from_mins(5), "this was not seen: {until}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The template of a stage; its name tells the migrations it was made from, so an old one is never used.
fn template(server: &TestServer, stage: Stage) -> String {
    let (name, layers) = match stage {
        Stage::Ecto => ("ecto", "bootstrap,ecto"),
        Stage::Declared => ("declared", "bootstrap,ecto,sqlx"),
        Stage::All => ("all", "bootstrap,ecto,sqlx"),
        Stage::Searchable => ("searchable", "bootstrap,ecto"),
    };
    let name = format!("suite_template_{name}_{:016x}", hash_of_migrations());
    let guard = server.template_lock();
    let postgres = server.named("postgres");
    let finished = format!("SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = '{name}' AND NOT datallowconn)");
    if !postgres.truth(&finished) {
        let url = server.named(&name).url_text();
        command::xtask(&["db-setup", "--ecto", "load", "--layers", layers, "--database-url", &url]).succeeds();
        if matches!(stage, Stage::Declared) {
            command::migrations(&url, &["revert", "--yes"]).succeeds();
            server.named(&name).execute("UPDATE db_service.layout SET leaves = 16 WHERE table_name = 'code_files'");
        }
        if matches!(stage, Stage::Searchable) {
            server.named(&name).execute(&searchable::fill());
            command::migrations(&url, &[]).succeeds().says("searches across repositories use them, as halfvec");
        }
        // Nobody may be connected to a database that is copied, and TimescaleDB's scheduler visits every one that lets it.
        postgres.execute(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"));
        postgres.execute(&format!(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{name}'"
        ));
    }
    drop(guard);
    name
}

fn hash_of_migrations() -> u64 {
    let mut hasher = DefaultHasher::new();
    for folder in ["migrations", "singularity_app/priv/repo", "singularity_app/priv/repo/migrations"] {
        let mut paths: Vec<_> =
            fs::read_dir(project().join(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        for path in paths.iter().filter(|path| path.is_file()) {
            fs::read(path).unwrap().hash(&mut hasher);
        }
    }
    hasher.finish()
}

/// Drops what runs that were killed have left, and templates of other migrations.
pub(crate) fn sweep(server: &TestServer) {
    let postgres = server.named("postgres");
    let current = format!("%{:016x}", hash_of_migrations());
    for name in postgres.column(&format!(
        "SELECT datname::text FROM pg_database WHERE datname LIKE 'suite\\_%' AND datname NOT LIKE '{current}'"
    )) {
        server.named(&name).drop_if_exists();
    }
}
