//! The servers that the suites run on.

mod clients;
mod container;
mod place;

pub(crate) use clients::{conninfo, password};

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::database::ServerUrl;
use testcontainers::{Container, GenericImage};

use crate::database::{self, Database};

/// What the suites run on: what can be had here, and the server that `TEST_DATABASE_URL` names, if it names one.
pub(crate) fn kinds() -> Vec<Kind> {
    let mut kinds = vec![Kind::Embedded, Kind::Container];
    if std::env::var_os("TEST_DATABASE_URL").is_some() {
        kinds.push(Kind::Url);
    }
    kinds
}

/// The password of servers that we start: special characters, so that every test is also one of encoding and hiding.
pub(crate) const PASSWORD: &str = "s3cr@t/pass#1";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Embedded,
    Container,
    Url,
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Embedded => "embedded",
            Self::Container => "container",
            Self::Url => "url",
        })
    }
}

pub(crate) struct TestServer {
    pub(crate) kind: Kind,
    /// As a superuser, no database.
    pub(crate) url: ServerUrl,
    holder: Holder,
    /// Tests that use the development databases' fixed names take turns.
    fixed_names: Mutex<()>,
    templates: Mutex<()>,
    roles: Mutex<()>,
    next: AtomicU32,
}

/// What keeps the server alive, and ends it.
enum Holder {
    Embedded { root: tempfile::TempDir, bin: PathBuf },
    Container(Box<Container<GenericImage>>),
    Elsewhere,
}

/// The project that the tests are about.
pub(crate) fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace is the parent folder")
}

/// Starts a server, or says why there is none.
pub(crate) fn start(kind: Kind, listing: bool) -> Result<TestServer, String> {
    if listing {
        return Err("only listed".to_owned());
    }
    let (url, holder) = match kind {
        Kind::Embedded => {
            embedded_again(|_| (), |data| std::fs::write(data.join(OWN_SETTINGS), format!("{PREPARED}\n")))?
        }
        Kind::Container => in_container("timescaledb,pg_stat_statements")?,
        Kind::Url => match std::env::var("TEST_DATABASE_URL") {
            Ok(text) => (ServerUrl::parse(&text).map_err(|error| error.to_string())?, Holder::Elsewhere),
            Err(_) => return Err("TEST_DATABASE_URL is not set".to_owned()),
        },
    };
    let mut server = TestServer::new(kind, url, holder);
    if kind != Kind::Url {
        prepare(&server.named("postgres"));
    }
    if kind == Kind::Embedded {
        server.url = url_of((Ipv4Addr::LOCALHOST, server.url.port()).into());
    }
    database::sweep(&server);
    Ok(server)
}

/// None can be prepared on a server that is as it was installed.
const PREPARED: &str = "max_prepared_transactions=10";

/// What `ALTER SYSTEM` writes.
const OWN_SETTINGS: &str = "postgresql.auto.conf";

/// Nothing here outlives the run; and every server of ours has the same password.
fn prepare(postgres: &Database<'_>) {
    for setting in ["fsync = off", "full_page_writes = off", "max_wal_size = '512MB'", "scram_iterations = 1"] {
        postgres.execute(&format!("ALTER SYSTEM SET {setting}"));
    }
    postgres.execute("SELECT pg_reload_conf()");
    // A session learns of it between two statements, at some time.
    postgres.wait("SELECT current_setting('scram_iterations') = '1'");
    postgres.execute(&format!("ALTER ROLE postgres PASSWORD '{PASSWORD}'"));
}

/// A second container, for tests that need one of their own.
pub(crate) fn container_with_preload(preload: &str) -> Result<TestServer, String> {
    let (url, holder) = in_container(preload)?;
    Ok(TestServer::new(Kind::Container, url, holder))
}

impl TestServer {
    fn new(kind: Kind, url: ServerUrl, holder: Holder) -> Self {
        Self {
            kind,
            url,
            holder,
            fixed_names: Mutex::new(()),
            templates: Mutex::new(()),
            roles: Mutex::new(()),
            next: AtomicU32::new(0),
        }
    }

    pub(crate) fn description(&self) -> String {
        format!("PostgreSQL {}", self.named("postgres").text("SHOW server_version"))
    }

    /// A database by name, which need not exist.
    pub(crate) fn named(&self, name: &str) -> Database<'_> {
        Database::new(self, name)
    }

    /// A name that no other test has.
    pub(crate) fn unused_name(&self) -> String {
        format!("suite_{}_{}", std::process::id(), self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// The right to use `singularity_dev` and its siblings, which do not exist then.
    pub(crate) fn fixed_names(&self) -> MutexGuard<'_, ()> {
        let guard = self.fixed_names.lock().unwrap_or_else(PoisonError::into_inner);
        for name in ["singularity_dev", "singularity_test", "singularity_embeddings"] {
            self.named(name).drop_if_exists();
        }
        guard
    }

    /// Held while a template is made.
    pub(crate) fn template_lock(&self) -> MutexGuard<'_, ()> {
        self.templates.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The right to make roles of names that others make as well; they are dropped with it.
    pub(crate) fn roles(&self) -> Roles<'_> {
        let turn = self.roles.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.named("postgres").column(OTHER_ROLES);
        Roles { server: self, before, _turn: turn }
    }

    pub(crate) fn offers(&self, extension: &str) -> bool {
        self.named("postgres")
            .truth(&format!("SELECT EXISTS (SELECT 1 FROM pg_available_extensions WHERE name = '{extension}')"))
    }

    /// The account that an embedded server runs as, by its number.
    pub(crate) fn account(&self) -> Option<u32> {
        let Holder::Embedded { root, .. } = &self.holder else { return None };
        let data = std::fs::metadata(root.path().join(".dev-db/data"));
        data.ok().map(|data| std::os::unix::fs::MetadataExt::uid(&data))
    }

    /// Runs a command as root in the server's container.
    pub(crate) fn exec_as_root(&self, command: &[&str]) {
        let Holder::Container(container) = &self.holder else { panic!("only a container can be changed") };
        let status = Command::new("docker").args(["exec", "-u", "root", container.id()]).args(command).status();
        assert!(status.expect("docker can be run").success(), "{command:?} failed in the container");
    }
}

/// Roles that are not of tests that have names of their own.
const OTHER_ROLES: &str = "SELECT rolname::text FROM pg_roles WHERE rolname NOT LIKE 'suite\\_%'";

/// A turn at making roles.
pub(crate) struct Roles<'a> {
    server: &'a TestServer,
    before: Vec<String>,
    _turn: MutexGuard<'a, ()>,
}

impl Drop for Roles<'_> {
    fn drop(&mut self) {
        // After a failure the test's database is left, in which they own things: a second panic would end all tests.
        if std::thread::panicking() {
            return;
        }
        let postgres = self.server.named("postgres");
        for role in postgres.column(OTHER_ROLES).iter().filter(|role| !self.before.contains(role)) {
            postgres.execute(&format!("DROP ROLE {}", ::database::quote::identifier(role)));
        }
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        if let Holder::Embedded { root, .. } = &self.holder {
            drop(dev_server::stop(root.path()));
        }
    }
}

/// A server of its own that only replays, with no primary to replay from; `prepare` is done while it is none yet.
pub(crate) fn standby(prepare: impl FnOnce(&TestServer)) -> Result<TestServer, String> {
    let (url, holder) = embedded_again(prepare, |data| std::fs::write(data.join("standby.signal"), ""))?;
    Ok(TestServer::new(Kind::Embedded, url, holder))
}

/// A server of its own beside that of a test, with a line for each of its own settings.
pub(crate) fn another(settings: &str) -> Result<TestServer, String> {
    let (url, holder) = embedded_again(|_| (), |data| std::fs::write(data.join(OWN_SETTINGS), settings))?;
    Ok(TestServer::new(Kind::Embedded, url, holder))
}

/// One that is changed in its data, after `prepare`, before it is started again.
fn embedded_again(
    prepare: impl FnOnce(&TestServer),
    change: impl FnOnce(&Path) -> std::io::Result<()>,
) -> Result<(ServerUrl, Holder), String> {
    let (url, holder) = embedded()?;
    let mut server = TestServer::new(Kind::Embedded, url, holder);
    prepare(&server);
    // Else it would be stopped for good when it is dropped.
    let Holder::Embedded { root, .. } = std::mem::replace(&mut server.holder, Holder::Elsewhere) else {
        return Err("it is not of the embedded kind".into());
    };
    dev_server::stop(root.path()).map_err(|error| error.to_string())?;
    change(&root.path().join(".dev-db/data")).map_err(|error| error.to_string())?;
    embedded_in(root)
}

fn embedded() -> Result<(ServerUrl, Holder), String> {
    embedded_in(place::folder().map_err(|error| error.to_string())?)
}

fn embedded_in(root: tempfile::TempDir) -> Result<(ServerUrl, Holder), String> {
    let settings = dev_server::Settings {
        root: root.path().to_owned(),
        kind: Some(dev_server::Kind::Embedded),
        port: None,
        timeout: Duration::from_mins(1),
    };
    let start = dev_server::start(&settings, &|_| ()).map_err(|error| {
        let why = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
        format!("{error}{why}")
    })?;
    let url = ServerUrl::parse(&start.server.url("postgres")).map_err(|error| error.to_string())?;
    let bin = start.server.bin_directory.ok_or("the server has no programs")?;
    Ok((url, Holder::Embedded { root, bin }))
}

fn in_container(preload: &str) -> Result<(ServerUrl, Holder), String> {
    let variables = [("POSTGRES_PASSWORD", PASSWORD), ("POSTGRES_PRELOAD", preload)];
    let (container, address) = container::start(project(), variables, PREPARED)?;
    Ok((url_of(address), Holder::Container(Box::new(container))))
}

fn url_of(address: SocketAddr) -> ServerUrl {
    ServerUrl::parse(&format!("postgres://postgres:s3cr%40t%2Fpass%231@{address}")).expect("a URL of ours is right")
}
