//! The second layer.

use std::fs;

use super::{Messages, refused};
use crate::command::{self, project_copy, xtask, xtask_command};
use crate::database::{Database, Stage};
use crate::server::project;

pub(super) const MESSAGES: Messages = Messages {
    page: "README.md",
    heading: "### Ecto",
    rows: &[
        ("mix is not on PATH", |server| {
            let database = Database::empty(server);
            database.execute("CREATE TABLE mine ()");
            let mut command = xtask_command(project(), &["db-setup", "--database-url", &database.url_text()]);
            command.env("PATH", "/nowhere");
            refused(&command::run(command))
        }),
        ("cannot load `structure.sql` … it is not empty", |server| {
            let database = Database::empty(server);
            database.execute("CREATE TABLE mine ()");
            refused(&xtask(&["db-setup", "--ecto", "load", "--database-url", &database.url_text()]))
        }),
        ("… failed: exit status: 1", |server| {
            let url = Database::empty(server).url_text();
            let run = xtask(&["db-setup", "--ecto-command", "echo why; false", "--database-url", &url]);
            refused(&run.says("| why"))
        }),
        ("… succeeded, yet Ecto migration `…` is still pending", |server| {
            refused(&xtask(&[
                "db-setup",
                "--ecto-command",
                "true",
                "--database-url",
                &Database::empty(server).url_text(),
            ]))
        }),
        ("file `…` is not named `<version>_<name>.exs`", |server| {
            let folder = tempfile::tempdir().unwrap();
            let copy = project_copy(folder.path());
            fs::write(copy.join("singularity_app/priv/repo/migrations/create_x.exs"), "").unwrap();
            let url = Database::absent(server).url_text();
            refused(&command::run(xtask_command(&copy, &["db-setup", "--database-url", &url])))
        }),
        ("Ecto's ledger holds version …, for which there is no file", |server| {
            let database = Database::at(server, Stage::Ecto);
            database.execute("INSERT INTO schema_migrations VALUES (99990101000000)");
            refused(&xtask(&["db-setup", "--database-url", &database.url_text()]))
        }),
        ("`public.schema_migrations` belongs to another tool", |server| {
            let database = Database::empty(server);
            database.execute("CREATE TABLE schema_migrations (version varchar(128) PRIMARY KEY)");
            refused(&xtask(&["db-setup", "--database-url", &database.url_text()]))
        }),
    ],
};
