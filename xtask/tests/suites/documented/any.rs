//! What can happen to any run.

use std::process::Stdio;
use std::time::Duration;

use ::database::DatabaseLock;

use super::{Messages, refused};
use crate::command::{self, Run, migrations, xtask_command};
use crate::database::{Database, Stage};
use crate::server::project;

pub(super) const MESSAGES: Messages = Messages {
    page: "README.md",
    heading: "### Any",
    rows: &[
        ("gave up waiting for another migration", |server| {
            let database = Database::at(server, Stage::Ecto);
            command::block_on(async {
                let lock = DatabaseLock::acquire(&database.url, Duration::ZERO, |_| ()).await.unwrap();
                let run = migrations(&database.url_text(), &["--lock-timeout", "0"]);
                lock.release().await;
                refused(&run)
            })
        }),
        ("interrupted", |server| {
            let database = Database::empty(server);
            let folder = tempfile::tempdir().unwrap();
            let is_begun = folder.path().join("begun");
            let release = format!("touch '{}'; sleep 60", is_begun.display());
            let url = database.url_text();
            let mut command =
                xtask_command(project(), &["db-setup", "--ecto-command", &release, "--database-url", &url]);
            let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            while !is_begun.exists() {
                std::thread::sleep(Duration::from_millis(5));
            }
            command::signal(&child, "INT");
            let run = Run::of(&child.wait_with_output().unwrap());
            assert_eq!(run.code, 130);
            Ok(run.stderr)
        }),
    ],
};
