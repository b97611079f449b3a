//! Schemas and settings as people have them, each laid over the two tables: the engine carries a table over exactly, or
//! refuses it by name before it starts.
//!
//! The folder `xtask/tests/situations/` holds a file for each. Lines in it: `-- probe: SQL` is run before and after each step, in a
//! transaction that is rolled back, and has to give the same answer; `-- as: ROLE` is who runs `migrations`; `-- expect: refused`
//! or `-- expect: round trip` where only one of the two is right.

use std::fmt::Write as _;
use std::fs;
use std::process::Stdio;

use crate::Test;
use crate::Verdict::{self, Passed};
use crate::command::migrations;
use crate::database::{Database, Stage};
use crate::role;
use crate::server::{TestServer, project};

/// Who runs `migrations`, besides whom a file names.
const RUNNERS: [&str; 2] = ["superuser", "owner"];

pub(crate) fn tests() -> Vec<(String, Test)> {
    let mut tests: Vec<(String, Test)> = Vec::new();
    let mut paths: Vec<_> =
        fs::read_dir(project().join("xtask/tests/situations")).unwrap().map(|it| it.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let sql = fs::read_to_string(&path).unwrap();
        for runner in RUNNERS {
            if runner == "superuser" || lines(&sql, "as").is_empty() {
                let sql = sql.clone();
                tests.push((
                    format!("{}::{name}::{runner}", module_path!()),
                    Box::new(move |server| tried(server, &sql, runner)),
                ));
            }
        }
    }
    tests
}

/// What the lines of a kind say.
fn lines(sql: &str, kind: &str) -> Vec<String> {
    let start = format!("-- {kind}: ");
    sql.lines().filter_map(|line| line.strip_prefix(&start)).map(str::to_owned).collect()
}

fn tried(server: &TestServer, sql: &str, runner: &str) -> Verdict {
    // Roles are the server's, and have the same names in several files.
    let _turn = server.roles();
    let verdict = {
        let database = Database::at(server, Stage::Ecto);
        database.execute(ROWS);
        let user = lines(sql, "as").pop().unwrap_or_else(|| runner.to_owned());
        database.execute(sql);
        if user == "owner" {
            role::create(&database, "owner");
            role::give_all(&database, "owner");
        }
        let url = match user.as_str() {
            "superuser" => database.url_text(),
            "owner" => role::url(&database, "owner"),
            other => database.url_as(&format!("{other}:pw")),
        };
        outcome(&database, &url, sql)
    };
    let expected = lines(sql, "expect").pop().unwrap_or_else(|| verdict.clone());
    assert_eq!(verdict, expected);
    Passed
}

/// `refused` or `round trip`; anything else is a fault.
fn outcome(database: &Database<'_>, url: &str, sql: &str) -> String {
    let (dump, seen) = (dump(database), seen(database, sql));
    let run = migrations(url, &["--yes"]);
    assert_eq!(self::seen(database, sql), seen, "rows or a probe differ after the conversion\n{}", run.stderr);
    let refused = match run.code {
        0 => false,
        4 => true,
        code => panic!("exit code {code}\n{}", run.stderr),
    };
    if !refused || self::dump(database) != dump {
        let revert = migrations(url, &["revert", "--yes"]);
        assert_eq!(revert.code, 0, "{}", revert.stderr);
        assert_eq!(self::seen(database, sql), seen, "rows or a probe differ after the way back");
    }
    assert_eq!(self::dump(database), dump, "the schema differs at the end\n{}", run.stderr);
    if refused { "refused" } else { "round trip" }.to_owned()
}

const ROWS: &str = "
    INSERT INTO code_files (repo_name, file_path, language, content, content_hash, size_bytes, metadata)
    SELECT 'repo' || g % 40, 'src/file' || g || '.rs', (ARRAY['rust', 'elixir', NULL])[1 + g % 3], repeat('x', g % 900),
           sha256(g::text::bytea), g % 900, jsonb_build_object('g', g)
    FROM generate_series(1, 1500) g;
    INSERT INTO embeddings (repo_name, path, model, content_hash, embedding)
    SELECT 'repo' || g % 20, 'src/file' || g || '.rs', 'm', sha256(g::text::bytea),
           (SELECT array_agg(sin(g * i)) FROM generate_series(1, 768) i)::public.vector
    FROM generate_series(1, 100) g";

/// The schema without what is the layer's own, and without the stamp that newest minors keep with every column.
pub(crate) fn dump(database: &Database<'_>) -> String {
    let arguments = ["--schema-only", "-N", "db_service", "-N", "leaf_*", "-N", "db_service_*"];
    let text = database.pg_dump(&arguments);
    text.lines()
        .filter(|line| !line.starts_with("\\restrict") && !line.starts_with("\\unrestrict"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The rows, the sequences, and what the probes say.
fn seen(database: &Database<'_>, sql: &str) -> String {
    let mut seen = database
        .column(
            "SELECT format('%s %s', count(*), md5(string_agg(md5(c::text), '' ORDER BY repo_name, file_path))) FROM code_files c
             UNION ALL
             SELECT format('%s %s', count(*), md5(string_agg(md5(e::text), '' ORDER BY repo_name, path))) FROM embeddings e
             UNION ALL
             (SELECT format('%s %s', sequencename, last_value) FROM pg_sequences WHERE schemaname = 'public' ORDER BY 1)",
        )
        .join("\n");
    for probe in lines(sql, "probe") {
        let mut psql = database.psql();
        psql.args(["-X", "-At", "-c", &format!("BEGIN; {probe}; ROLLBACK")]);
        let output = psql.stdin(Stdio::null()).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        write!(seen, "\n{}", String::from_utf8_lossy(&said)).unwrap();
    }
    seen
}
