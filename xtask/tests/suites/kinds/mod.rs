//! Every kind of thing that can hang on a table, and random combinations of them: carried as it was, or refused by name.

mod makings;

use std::cell::Cell;

use relayout::kinds::{KINDS, Kind, Verdict as Fate};
use sqlx::AssertSqlSafe;

use crate::Test;
use crate::Verdict::{self, Passed, Skipped};
use crate::command::{Run, migrations};
use crate::database::{Database, Stage};
use crate::random::Random;
use crate::role::Role;
use crate::server::TestServer;
use crate::situations::dump;
use makings::{MAKINGS, Making};

const ROWS: &str = "
    INSERT INTO code_files (repo_name, file_path, language, content, content_hash, size_bytes)
    SELECT 'repo' || g % 40, 'file' || g, 'rust', '', sha256(g::text::bytea), 7 FROM generate_series(1, 200) g";

pub(crate) fn tests() -> Vec<(String, Test)> {
    let mut tests: Vec<(String, Test)> = KINDS
        .iter()
        .map(|kind| {
            let test: Test = Box::new(move |server| alone(kind, server));
            (format!("{}::{}", module_path!(), kind.name), test)
        })
        .collect();
    tests.push((format!("{}::every_kind_is_made", module_path!()), Box::new(every_kind_is_made)));
    for part in 0..PARTS {
        let name = format!("{}::combinations_are_refused_or_carried::{part}", module_path!());
        tests.push((name, Box::new(move |server| combinations(server, part))));
    }
    tests
}

fn every_kind_is_made(_: &TestServer) -> Verdict {
    let kinds: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
    let made: Vec<&str> = MAKINGS.iter().map(|making| making.kind).collect();
    assert_eq!(made, kinds);
    Passed
}

/// A database in which such things are made.
struct Made<'a> {
    database: Database<'a>,
    has_tablespace: Cell<bool>,
    server: &'a TestServer,
    roles: [Role<'a>; 2],
}

impl<'a> Made<'a> {
    fn new(server: &'a TestServer, stage: Stage) -> Self {
        let roles = [Role::new(server), Role::new(server)];
        let database = Database::at(server, stage);
        database.execute(ROWS);
        Self { database, has_tablespace: Cell::new(false), server, roles }
    }

    /// One after the other in one session, whose settings each of them finds as they were.
    fn make(&self, makings: &[&Making]) {
        let [a, b] = self.roles.each_ref().map(|role| &role.name);
        let fill_in = |sql: &str| sql.replace("{a}", a).replace("{b}", b).replace("{d}", &self.database.name);
        let statements = makings.iter().flat_map(|making| making.statements).map(|sql| fill_in(sql));
        self.database.with(async |connection| {
            for sql in statements {
                let (sql, fails) = sql.strip_prefix("\\fails ").map_or((sql.as_str(), false), |sql| (sql, true));
                if sql == "\\tablespace" {
                    self.make_tablespace();
                    continue;
                }
                let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut *connection).await;
                assert_eq!(done.is_err(), fails, "{sql}: {done:?}");
                sqlx::raw_sql("RESET ROLE; RESET ALL").execute(&mut *connection).await.unwrap();
            }
        });
    }

    /// In the server's own folder.
    fn make_tablespace(&self) {
        if !self.has_tablespace.replace(true) {
            let create = format!("CREATE TABLESPACE {} LOCATION ''", self.database.name);
            let output =
                self.database.psql().args(["-c", "SET allow_in_place_tablespaces = on", "-c", &create]).output();
            assert!(output.unwrap().status.success());
        }
    }

    /// The layer's work, there and back; the schema and the rows are what they were.
    fn there_and_back(&self, more: &[&[&str]]) -> Run {
        let url = self.database.url_text();
        let seen = || {
            self.database.text(
                "SELECT md5(string_agg(c::text, '' ORDER BY repo_name, file_path)) || ' ' || (
                     SELECT string_agg(format('%s %s', sequencename, last_value), ' ' ORDER BY sequencename)
                     FROM pg_sequences WHERE schemaname = 'public')
                 FROM code_files c",
            )
        };
        let (schema, rows) = (dump(&self.database), seen());
        let run = migrations(&url, &["--yes"]);
        assert!(matches!(run.code, 0 | 4), "exit code {}\n{}", run.code, run.stderr);
        assert_eq!(seen(), rows, "after the conversion");
        if run.code == 0 {
            for command in more {
                migrations(&url, command).succeeds();
                assert_eq!(seen(), rows, "after {command:?}");
            }
            migrations(&url, &["verify"]).succeeds();
        }
        // What is refused may be refused before there is a layer.
        if run.code == 0 || dump(&self.database) != schema {
            migrations(&url, &["revert", "--yes"]).succeeds();
        }
        assert_eq!(dump(&self.database), schema, "at the end\n{}", run.stderr);
        assert_eq!(seen(), rows, "after the way back");
        run
    }
}

impl Drop for Made<'_> {
    fn drop(&mut self) {
        // The databases of subscriptions and tablespaces cannot be dropped before these.
        let name = &self.database.name;
        let exists = format!("SELECT EXISTS (SELECT FROM pg_subscription WHERE subname = '{name}')");
        if self.database.truth(&exists) {
            self.database.execute(&format!("ALTER SUBSCRIPTION {name} DISABLE"));
            self.database.execute(&format!("DROP SUBSCRIPTION {name}"));
        }
        if self.has_tablespace.get() {
            self.database.drop_if_exists();
            self.server.named("postgres").execute(&format!("DROP TABLESPACE {name}"));
        }
    }
}

fn alone(kind: &Kind, server: &TestServer) -> Verdict {
    if let Some(why) = lacks(kind.name, server) {
        return Skipped(why);
    }
    let making = MAKINGS.iter().find(|making| making.kind == kind.name).unwrap();
    let made = Made::new(server, Stage::Ecto);
    made.make(&[making]);
    let leaf = ["--table", "code_files", "--leaf"];
    let split = [&["split"][..], &leaf, &["16/5", "--yes"]].concat();
    let merge = [&["merge"][..], &leaf, &["8/5", "--yes"]].concat();
    let run = made.there_and_back(&[&split, &merge]);
    match kind.verdict {
        Fate::Carried => assert_eq!(run.code, 0, "{}", run.stderr),
        Fate::Refused => drop(run.exits(4).says(making.said)),
    }
    Passed
}

/// What a server is too old for.
fn lacks(kind: &str, server: &TestServer) -> Option<String> {
    let version: u32 = server.named("postgres").text("SHOW server_version_num").parse().unwrap();
    let first = match kind {
        "identity" => 17,
        "not-null-not-validated" => 18,
        _ => return None,
    };
    (version / 10_000 < first).then(|| format!("a partitioned table has it since PostgreSQL {first}"))
}

/// So many by default; `TEST_COMBINATIONS` says how many, and `TEST_SEED` with which to begin.
const COMBINATIONS: u64 = 100;
/// Tests that share them.
const PARTS: u64 = 4;

fn combinations(server: &TestServer, part: u64) -> Verdict {
    let number = |name: &str, default: u64| std::env::var(name).map_or(default, |text| text.parse().unwrap());
    let first = number("TEST_SEED", 1);
    let (mut carried, mut refused) = (0, 0);
    let seeds = first..first + number("TEST_COMBINATIONS", COMBINATIONS);
    for seed in seeds.filter(|seed| seed % PARTS == part) {
        let chosen = chosen(seed, server);
        let names: Vec<&str> = chosen.iter().map(|making| making.kind).collect();
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let made = Made::new(server, Stage::Declared);
            made.make(&chosen);
            made.there_and_back(&[]).code
        }));
        let Ok(code) = outcome else { panic!("TEST_SEED={seed} {names:?}: {}", crate::message(&outcome.unwrap_err())) };
        let is_refused =
            names.iter().any(|name| KINDS.iter().any(|kind| kind.name == *name && kind.verdict == Fate::Refused));
        assert_eq!(code, if is_refused { 4 } else { 0 }, "TEST_SEED={seed} {names:?}");
        if is_refused { refused += 1 } else { carried += 1 }
    }
    eprintln!("{carried} combinations were carried, {refused} refused");
    assert!(carried > 0, "all were refused");
    Passed
}

/// What PostgreSQL itself refuses, the second being there.
const IMPOSSIBLE: [[&str; 2]; 1] = [["unlogged", "publication"]];

/// A third of those that are carried, and in every fourth combination one that is refused.
fn chosen(seed: u64, server: &TestServer) -> Vec<&'static Making> {
    let mut random = Random::new(seed);
    let mut next = || random.next() >> 8;
    let of = |fate: Fate| {
        let kinds = KINDS.iter().filter(move |kind| kind.verdict == fate && lacks(kind.name, server).is_none());
        kinds.map(|kind| MAKINGS.iter().find(|making| making.kind == kind.name).unwrap()).collect::<Vec<_>>()
    };
    let mut chosen: Vec<&Making> = of(Fate::Carried).into_iter().filter(|_| next() % 3 == 0).collect();
    // Another owner comes last: it would not own what is made after that.
    chosen.sort_by_key(|making| making.kind == "owner");
    let refused = of(Fate::Refused);
    if next() % 4 == 0 {
        let one = refused[usize::try_from(next()).unwrap() % refused.len()];
        chosen.retain(|making| !IMPOSSIBLE.contains(&[one.kind, making.kind]));
        chosen.push(one);
    }
    chosen
}
