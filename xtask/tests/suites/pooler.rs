//! A real PgBouncer between us and the server.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Verdict::{self, Passed, Skipped};
use crate::command::migrations;
use crate::database::{Database, Stage};
use crate::server::{self, TestServer};

crate::tests![
    one_in_transaction_mode_is_refused,
    one_in_statement_mode_is_named,
    one_in_session_mode_with_its_own_settings_works,
    a_pool_of_one_session_is_named_soon,
    a_database_that_it_cannot_reach_is_named,
    a_parameter_that_it_does_not_know_is_named,
];

/// Ended when dropped.
pub(crate) struct Pooler {
    process: Child,
    port: u16,
    user: String,
    _folder: tempfile::TempDir,
}

impl Pooler {
    /// One for all databases of a server.
    pub(crate) fn start(database: &Database<'_>, settings: &str) -> Result<Self, String> {
        if Command::new("pgbouncer").arg("--version").output().is_err() {
            return Err("pgbouncer is not installed".into());
        }
        // A port that is free may be taken a moment later.
        Ok(std::iter::repeat_with(|| Self::listening(database, settings)).take(5).flatten().next().expect("it listens"))
    }

    fn listening(database: &Database<'_>, settings: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let target = database.url.for_sqlx();
        let user = target.get_username().to_owned();
        let configuration = format!(
            "[databases]\n* = host={} port={} user={user} password='{}'\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = any\n{settings}\n",
            target.get_host(),
            target.get_port(),
            server::password(&database.url).unwrap_or_default().replace('\'', "''"),
        );
        let file = folder.path().join("pgbouncer.ini");
        fs::write(&file, configuration).unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        // It refuses to run as root, as PostgreSQL does; elsewhere it may not become another user.
        let as_user: &[&str] = if fs::metadata("/proc/self").unwrap().uid() == 0 { &["--user", "nobody"] } else { &[] };
        let mut pooler = Command::new("pgbouncer");
        pooler.arg("--quiet").args(as_user).arg(&file).stdout(Stdio::null()).stderr(Stdio::null());
        let mut pooler = Self { process: pooler.spawn().unwrap(), port, user, _folder: folder };
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if pooler.process.try_wait().unwrap().is_some() {
                return None;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        // Else it is somebody else who listens.
        pooler.process.try_wait().unwrap().is_none().then_some(pooler)
    }

    /// A URL through it.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://{}@127.0.0.1:{}/{database}", self.user, self.port)
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn one_in_transaction_mode_is_refused(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::Ecto);
    let before = database.dump();
    let pooler = match Pooler::start(&database, "pool_mode = transaction") {
        Ok(pooler) => pooler,
        Err(why) => return Skipped(why),
    };
    migrations(&pooler.url(&database.name), &[])
        .exits(2)
        .says("goes through a pooler in transaction mode")
        .says("hint: nothing was changed");
    assert_eq!(database.dump(), before);
    Passed
}

fn one_in_statement_mode_is_named(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::Ecto);
    let before = database.dump();
    let pooler = match Pooler::start(&database, "pool_mode = statement") {
        Ok(pooler) => pooler,
        Err(why) => return Skipped(why),
    };
    let run = migrations(&pooler.url(&database.name), &[]);
    assert_ne!(run.code, 0);
    run.says("a pool in session mode");
    assert_eq!(database.dump(), before);
    Passed
}

fn one_in_session_mode_with_its_own_settings_works(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::Ecto);
    let pooler = match Pooler::start(&database, "pool_mode = session") {
        Ok(pooler) => pooler,
        Err(why) => return Skipped(why),
    };
    migrations(&pooler.url(&database.name), &[]).succeeds().says("Converted layout `code_files`");
    Passed
}

fn a_pool_of_one_session_is_named_soon(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::Ecto);
    let before = database.dump();
    let pooler = match Pooler::start(&database, "pool_mode = session\ndefault_pool_size = 1") {
        Ok(pooler) => pooler,
        Err(why) => return Skipped(why),
    };
    // PgBouncer itself would keep us waiting for two minutes.
    let started = Instant::now();
    migrations(&format!("{}?connect_timeout=2", pooler.url(&database.name)), &[])
        .exits(1)
        .says("no statement had an answer within 2 s")
        .says("raise the pooler's `pool_size`");
    assert!(started.elapsed() < Duration::from_secs(100), "{:?}", started.elapsed());
    assert_eq!(database.dump(), before);
    Passed
}

fn a_database_that_it_cannot_reach_is_named(server: &TestServer) -> Verdict {
    let absent = Database::absent(server);
    let pooler = match Pooler::start(&absent, "pool_mode = session") {
        Ok(pooler) => pooler,
        Err(why) => return Skipped(why),
    };
    migrations(&format!("{}?connect_timeout=2", pooler.url(&absent.name)), &[])
        .exits(1)
        .says("does not exist")
        .says("hint: the pooler knows no such database");
    Passed
}

fn a_parameter_that_it_does_not_know_is_named(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::Ecto);
    let pooler = match Pooler::start(&database, "pool_mode = session") {
        Ok(pooler) => pooler,
        Err(why) => return Skipped(why),
    };
    migrations(&format!("{}?options=-c%20geqo%3Doff", pooler.url(&database.name)), &["plan"])
        .exits(1)
        .says("unsupported startup parameter")
        .says("`ignore_startup_parameters`");
    Passed
}
