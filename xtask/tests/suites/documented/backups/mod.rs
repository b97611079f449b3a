//! The command lines of "Backups" in the operations guide, run as they stand there on tables whose rows are in leaves.

mod another_server;

use std::fs;

use ::database::DatabaseUrl;

use super::table;
use crate::Verdict::{self, Passed, Skipped};
use crate::command::{migrations, run, xtask};
use crate::database::{Database, Stage};
use crate::role::{self, Role};
use crate::server::{TestServer, project};
use crate::twins::{PARTITIONED, leaves};
use crate::{Test, situations};

const PAGE: &str = "docs/operations.md";
const HEADING: &str = "## Backups";

/// Does what a row says, with its commands for dump and restore, and looks at the outcome.
type Try = fn(&Backup<'_>);

/// The first cell of each row, what tries it, and what a server has to offer for that.
const ROWS: [(&str, Option<&str>, Try); 9] = [
    ("everything", None, everything),
    ("everything, restored by a role that is no superuser", None, everything_by_a_role),
    ("everything, where TimescaleDB is installed", Some("timescaledb"), everything_with_timescaledb),
    ("everything, for a database of another encoding or collation", None, another_encoding),
    ("all but the layer", None, all_but_the_layer),
    ("the rows alone, for tables that Ecto has made", None, rows_alone),
    ("one table and its leaves", None, one_table),
    ("the rows of one table", None, rows_of_one_table),
    ("the rows of one table, as text", None, rows_of_one_table),
];

const FILES: &str =
    "SELECT format('%s %s', count(*), md5(string_agg(c::text, '' ORDER BY repo_name, file_path COLLATE \"C\"))) FROM code_files c
     UNION ALL SELECT last_value::text FROM code_files_id_seq";
const VECTORS: &str =
    "SELECT format('%s %s', count(*), md5(string_agg(e::text, '' ORDER BY repo_name, path COLLATE \"C\"))) FROM embeddings e
     UNION ALL SELECT last_value::text FROM embeddings_id_seq";

pub(super) fn tests() -> Vec<(String, Test)> {
    let mut tests: Vec<(String, Test)> = vec![
        (format!("{}::every_row_is_tried", module_path!()), Box::new(every_row_is_tried)),
        (format!("{}::a_dump_by_schema_or_name_holds_no_row", module_path!()), Box::new(a_dump_by_name_is_empty)),
    ];
    tests.extend(another_server::tests());
    for (row, needs, attempt) in ROWS {
        let test: Test = Box::new(move |server| Backup::attempted(server, row, needs, attempt));
        tests.push((format!("{}::{row}", module_path!()), test));
    }
    tests
}

fn page() -> String {
    fs::read_to_string(project().join(PAGE)).unwrap()
}

fn every_row_is_tried(_: &TestServer) -> Verdict {
    let written: Vec<String> = table::rows(&page(), HEADING).into_iter().map(|cells| cells[0].clone()).collect();
    assert_eq!(written, ROWS.map(|(row, ..)| row));
    Passed
}

/// A row of the page, and a server to try it on.
struct Backup<'a> {
    server: &'a TestServer,
    dump: Vec<String>,
    restore: Vec<String>,
}

impl<'a> Backup<'a> {
    fn attempted(server: &'a TestServer, row: &str, needs: Option<&str>, attempt: Try) -> Verdict {
        if let Some(extension) = needs.filter(|extension| !server.offers(extension)) {
            return Skipped(format!("this server does not offer {extension}"));
        }
        if let Some(lacking) = server.lacks_programs() {
            return Skipped(lacking);
        }
        attempt(&Self::of(server, row));
        Passed
    }

    fn of(server: &'a TestServer, row: &str) -> Self {
        let cells = table::rows(&page(), HEADING).into_iter().find(|cells| cells[0] == row);
        let cells = cells.unwrap_or_else(|| panic!("`{row}` is not in {PAGE}"));
        Self { server, dump: table::code_spans(&cells[1]), restore: table::code_spans(&cells[2]) }
    }

    /// A database with rows in leaves.
    fn source(&self) -> Database<'a> {
        let source = Database::at(self.server, Stage::All);
        without_timescaledb(&source);
        fill(&source);
        source
    }

    /// Dumps what the URL leads to and restores it into the copy, which may have been prepared.
    fn copied(&self, url: &DatabaseUrl, copy: &Database<'_>) {
        let lines = [&self.dump[..], &self.restore].concat();
        run(self.server.shell(url, &[("COPY", &copy.name)], &lines)).succeeds();
    }
}

/// Its tables would be restored with the others; it has a row of its own.
fn without_timescaledb(database: &Database<'_>) {
    database.execute("DROP EXTENSION IF EXISTS timescaledb CASCADE");
}

fn fill(database: &Database<'_>) {
    database.execute(
        "INSERT INTO code_files (repo_name, file_path, language, content, content_hash, size_bytes)
         SELECT 'dépôt' || g % 40, 'file' || g, 'rust', '', sha256(g::text::bytea), 7 FROM generate_series(1, 200) g;
         INSERT INTO embeddings (repo_name, path, model, content_hash, embedding)
         SELECT 'dépôt' || g % 40, 'file' || g, 'm', sha256(g::text::bytea),
                (SELECT array_agg(sin(g * i)) FROM generate_series(1, 768) i)::public.vector
         FROM generate_series(1, 60) g",
    );
}

#[track_caller]
fn same(source: &Database<'_>, copy: &Database<'_>, queries: &[&str]) {
    for query in queries {
        let rows = source.column(query);
        assert!(!rows[0].starts_with("0 "), "there is nothing to compare");
        assert_eq!(copy.column(query), rows);
    }
}

/// The layer has nothing to do there, and finds nothing that is not in its place.
#[track_caller]
fn settled(copy: &Database<'_>) {
    let url = copy.url_text();
    assert_eq!(leaves(copy), PARTITIONED);
    migrations(&url, &["plan"]).succeeds().says_nothing_to_do();
    migrations(&url, &["verify"]).succeeds();
    assert_eq!(migrations(&url, &["--json"]).succeeds().json()["outcome"], "unchanged");
}

fn everything(backup: &Backup<'_>) {
    let (source, copy) = (backup.source(), Database::absent(backup.server));
    backup.copied(&source.url, &copy);
    same(&source, &copy, &[FILES, VECTORS]);
    assert_eq!(situations::dump(&copy), situations::dump(&source));
    settled(&copy);
    let url = copy.url_text();
    let setup = xtask(&["db-setup", "--layers", "bootstrap,sqlx", "--dry-run", "--database-url", &url]).exits(3);
    let pending: Vec<&str> = setup.stderr.lines().filter(|line| line.starts_with("Pending")).collect();
    assert!(pending.iter().all(|line| line.contains("environment") || line.contains("extension")), "{pending:?}");
}

fn everything_by_a_role(backup: &Backup<'_>) {
    let role = Role::new(backup.server);
    let (source, copy) = (Database::at(backup.server, Stage::Ecto), Database::empty(backup.server));
    without_timescaledb(&source);
    fill(&source);
    role::give_all(&source, &role.name);
    migrations(&role.url(&source), &[]).succeeds();
    copy.execute(&format!("CREATE EXTENSION vector; ALTER DATABASE {} OWNER TO {}", copy.name, role.name));
    backup.copied(&DatabaseUrl::parse(&role.url(&source)).unwrap(), &copy);
    same(&source, &copy, &[FILES, VECTORS]);
    migrations(&role.url(&copy), &["revert", "--yes"]).succeeds();
    copy.execute("UPDATE db_service.layout SET leaves = 16");
    migrations(&role.url(&copy), &[]).succeeds();
    same(&source, &copy, &[FILES, VECTORS]);
    settled(&copy);
}

fn everything_with_timescaledb(backup: &Backup<'_>) {
    let (source, copy) = (Database::at(backup.server, Stage::All), Database::absent(backup.server));
    fill(&source);
    backup.copied(&source.url, &copy);
    same(&source, &copy, &[FILES, VECTORS]);
    settled(&copy);
}

/// As PostgreSQL compares bytes, rows have other leaves there.
fn another_encoding(backup: &Backup<'_>) {
    let source = backup.source();
    let create = r#"createdb -T template0 -E LATIN1 --locale C "$COPY""#.to_owned();
    let into_latin1 = |row: &str, copy: &Database<'_>| {
        let Backup { dump, restore, .. } = Backup::of(backup.server, row);
        let restore = restore.into_iter().filter(|line| !line.starts_with("createdb"));
        let lines: Vec<String> = dump.into_iter().chain([create.clone()]).chain(restore).collect();
        run(backup.server.shell(&source.url, &[("COPY", &copy.name)], &lines))
    };
    let (refused, copy) = (Database::absent(backup.server), Database::absent(backup.server));
    into_latin1("everything", &refused).exits(1).says("violates partition constraint");
    into_latin1(ROWS[3].0, &copy).succeeds();
    // The text of rows is compared, which the client gets in UTF-8.
    let rows = "SELECT repo_name || file_path FROM code_files ORDER BY id";
    assert_eq!(copy.column(rows), source.column(rows));
    settled(&copy);
}

fn all_but_the_layer(backup: &Backup<'_>) {
    let (source, copy) = (backup.source(), Database::absent(backup.server));
    backup.copied(&source.url, &copy);
    assert!(copy.truth("SELECT to_regnamespace('db_service') IS NULL"));
    same(&source, &copy, &[FILES, VECTORS]);
    let run = migrations(&copy.url_text(), &[]).succeeds();
    assert!(!run.stderr.contains("Converted"), "rows were moved\n{}", run.stderr);
    assert_eq!(situations::dump(&copy), situations::dump(&source));
    assert_eq!(copy.dump(), source.dump());
    settled(&copy);
}

fn rows_alone(backup: &Backup<'_>) {
    let source = backup.source();
    for stage in [Stage::Ecto, Stage::All] {
        let copy = Database::at(backup.server, stage);
        backup.copied(&source.url, &copy);
        same(&source, &copy, &[FILES, VECTORS]);
        migrations(&copy.url_text(), &[]).succeeds();
        same(&source, &copy, &[FILES, VECTORS]);
        settled(&copy);
    }
}

fn one_table(backup: &Backup<'_>) {
    let (source, copy) = (backup.source(), Database::empty(backup.server));
    backup.copied(&source.url, &copy);
    same(&source, &copy, &[FILES]);
    assert_eq!(leaves(&copy), "code_files 16");
    let schemas = "SELECT nspname || obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname LIKE 'leaf%' ORDER BY 1";
    assert_eq!(copy.column(schemas), source.column(schemas));
}

fn rows_of_one_table(backup: &Backup<'_>) {
    let source = backup.source();
    for stage in [Stage::Ecto, Stage::All] {
        let copy = Database::at(backup.server, stage);
        backup.copied(&source.url, &copy);
        same(&source, &copy, &[FILES]);
        assert_eq!(copy.text("SELECT count(*)::text FROM embeddings"), "0");
    }
}

/// What the section is about.
fn a_dump_by_name_is_empty(server: &TestServer) -> Verdict {
    let source = Database::at(server, Stage::All);
    fill(&source);
    for command in ["pg_dump -n public", "pg_dump -t code_files"] {
        assert!(page().contains(&format!("`{command}`")), "{command}");
        let dump = run(server.shell(&source.url, &[], &[command.to_owned()])).succeeds();
        assert!(dump.stdout.contains("CREATE TABLE public.code_files"), "{command}");
        assert!(!dump.stdout.contains("dépôt"), "{command} holds rows");
        assert_eq!(dump.stderr, "", "{command} says so");
    }
    Passed
}
