//! Room: what is asked before much of it is taken, and what happens when it runs out.

use std::process::{Command, Stdio};

use crate::Verdict::{self, Passed, Skipped};
use crate::command::migrations;
use crate::database::{Database, Stage};
use crate::server::TestServer;
use crate::twins::{leaves, plain};

crate::tests![
    a_disk_that_will_not_do_is_said_beforehand,
    a_disk_that_runs_full_half_way_is_mended,
    a_large_table_asks_first,
];

fn a_disk_that_will_not_do_is_said_beforehand(server: &TestServer) -> Verdict {
    let database = plain(server);
    let url = database.url_text();
    migrations(&url, &["plan"]).exits(3);
    migrations(&url, &["--free-disk", "0"]).exits(4).says("of disk, and 0.0 kB are free").says("nothing was touched");
    migrations(&url, &["plan"])
        .exits(3)
        .says("rows; about 2 s (estimated with 20000 rows a second, as on two cores), ")
        .says("of disk until the old form is dropped");
    assert_eq!(leaves(&database), "");
    migrations(&url, &["--free-disk", "1"]).succeeds();
    migrations(&url, &["revert", "--yes", "--free-disk", "0"]).exits(4).says("are free");
    migrations(&url, &[]).succeeds();
    assert_eq!(leaves(&database), "code_files 16, embeddings 16");
    Passed
}

/// A disk of its own for a database, so small that it can be filled.
struct SmallDisk<'a> {
    server: &'a TestServer,
    name: String,
    folder: tempfile::TempDir,
}

impl<'a> SmallDisk<'a> {
    fn new(server: &'a TestServer, size: &str) -> Result<Self, &'static str> {
        let account = server.account().ok_or("a small disk is made for an embedded server only")?;
        let disk = Self { server, name: server.unused_name(), folder: tempfile::tempdir().unwrap() };
        disk.mount(&format!("size={size},uid={account},mode=700")).map_err(|()| "no right to mount a small disk")?;
        server.named("postgres").execute(&format!(
            "CREATE TABLESPACE {} LOCATION '{}'",
            disk.name,
            disk.folder.path().display()
        ));
        Ok(disk)
    }

    fn mount(&self, options: &str) -> Result<(), ()> {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(self.folder.path()).stderr(Stdio::null());
        if mount.status().is_ok_and(|status| status.success()) { Ok(()) } else { Err(()) }
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let drop_it = format!("DROP TABLESPACE IF EXISTS {}", self.name);
        self.server.named("postgres").execute(&drop_it);
        drop(Command::new("umount").arg(self.folder.path()).stderr(Stdio::null()).status());
    }
}

fn a_disk_that_runs_full_half_way_is_mended(server: &TestServer) -> Verdict {
    let disk = match SmallDisk::new(server, "44m") {
        Ok(disk) => disk,
        Err(why) => return Skipped(why.to_owned()),
    };
    let database = Database::at(server, Stage::Ecto);
    server.named("postgres").execute(&format!("ALTER DATABASE {} SET TABLESPACE {}", database.name, disk.name));
    database.execute(
        "ALTER TABLE code_files ALTER content SET STORAGE EXTERNAL;
         INSERT INTO code_files (repo_name, file_path, content, content_hash, size_bytes)
         SELECT 'repo' || g % 40, 'file' || g, repeat('x', 4000), sha256(g::text::bytea), 0 FROM generate_series(1, 4000) g",
    );
    let sum = "SELECT sum(hashtext(c::text))::text FROM code_files c";
    let before = database.text(sum);
    let url = database.url_text();
    migrations(&url, &[]).exits(1).says("No space left on device").says("hint: free disk space on the server");
    assert_eq!(database.text(sum), before, "the table as it was");
    disk.mount("remount,size=400m").unwrap();
    migrations(&url, &[]).succeeds();
    assert_eq!(leaves(&database), "code_files 16, embeddings 16");
    assert_eq!(database.text(sum), before, "the table in its leaves");
    migrations(&url, &["verify"]).succeeds();
    Passed
}

fn a_large_table_asks_first(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::Ecto);
    // More than 1 GiB.
    database.execute(
        "ALTER TABLE code_files ALTER content SET STORAGE EXTERNAL;
         INSERT INTO code_files (repo_name, file_path, content, content_hash, size_bytes)
         SELECT 'r', 'f' || g, repeat('x', 600000), sha256('x'), 0 FROM generate_series(1, 1900) g",
    );
    let url = database.url_text();
    migrations(&url, &[])
        .succeeds()
        .says("Left out layout `code_files`")
        .says("asks for a word of yours")
        .says("agree with `--yes`");
    assert_eq!(leaves(&database), "embeddings 16");
    migrations(&url, &["status"]).exits(3);
    database.execute("TRUNCATE code_files");
    migrations(&url, &[]).succeeds();
    assert_eq!(leaves(&database), "code_files 16, embeddings 16");
    Passed
}
