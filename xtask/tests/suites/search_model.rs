//! Searches against a model in memory, whatever happens to the rows.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use crate::Verdict::{self, Passed};
use crate::codes::{assert_equal, fold};
use crate::command::migrations;
use crate::database::{Database, Stage};
use crate::random::Random;
use crate::server::TestServer;
use crate::writers::killed;

crate::tests![a_model_in_memory_finds_the_same_after_every_step];

type Model = BTreeMap<(String, String), Vec<f32>>;

/// Few directions, so that rows lie close to each other; never of length zero.
fn some_vector(random: &mut Random) -> Vec<f32> {
    let mut vector: Vec<f32> =
        (0..768).map(|_| f32::from(u16::try_from(random.next() % 2001).unwrap()) / 1000.0 - 1.0).collect();
    vector[0] = 4.0;
    vector
}

fn literal(vector: &[f32]) -> String {
    let mut text = String::from("[");
    for (position, component) in vector.iter().enumerate() {
        write!(text, "{}{component}", if position == 0 { "" } else { "," }).unwrap();
    }
    text + "]"
}

fn distance(one: &[f32], other: &[f32]) -> f64 {
    let sum = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    1.0 - sum(one, other) / (sum(one, one) * sum(other, other)).sqrt()
}

/// What the model finds against what the functions find, in one repository and across all, exactly and by the codes.
fn compare(database: &Database<'_>, model: &Model, random: &mut Random, when: &str) {
    let query = some_vector(random);
    for (scope, repository) in [("search_across(", None), ("search_in_repository('r1', ", Some("r1"))] {
        let mut nearest: Vec<(f64, &(String, String))> = model
            .iter()
            .filter(|(key, _)| repository.is_none_or(|name| key.0 == name))
            .map(|(key, vector)| (distance(&query, vector), key))
            .collect();
        nearest.sort_by(|one, other| one.0.total_cmp(&other.0).then_with(|| one.1.cmp(other.1)));
        nearest.truncate(5);
        for recall in ["exact", "balanced"] {
            let found = database.column(&format!(
                "SELECT concat_ws(' ', round(distance::numeric, 4), repo_name, path)
                 FROM db_service.{scope}'{}', 5, recall => '{recall}')",
                literal(&query)
            ));
            let wanted: Vec<String> =
                nearest.iter().map(|(distance, (name, path))| format!("{distance:.4} {name} {path}")).collect();
            // In the fourth place two ways of adding may round apart.
            let keys =
                |rows: &[String]| rows.iter().map(|row| row.split_once(' ').unwrap().1.to_owned()).collect::<Vec<_>>();
            assert_eq!(keys(&found), keys(&wanted), "{scope} {recall} {when}: {found:#?} {wanted:#?}");
        }
    }
}

/// Runs that are killed: what is declared before, the run, and what brings the table back into leaves.
const KILLED: [(&str, &[&str], &[&str]); 5] = [
    ("SELECT db_service.begin_codes()", &["--yes"], &["--yes"]),
    (
        "UPDATE db_service.codes
         SET form = CASE form WHEN 'bits' THEN 'vchordrq' WHEN 'vchordrq' THEN 'halfvec' ELSE 'bits' END",
        &["--yes"],
        &["--yes"],
    ),
    (
        "SELECT",
        &["revert", "--table", "embeddings", "--yes"],
        &["layout", "--table", "embeddings", "--leaves", "16", "--yes"],
    ),
    ("SELECT", &["split", "--table", "embeddings", "--leaf", "16/3", "--yes"], &["--yes"]),
    ("SELECT", &["merge", "--table", "embeddings", "--leaf", "8/5", "--yes"], &["--yes"]),
];

/// Kills a run at any moment; whatever it leaves behind is searched, and the next runs finish it.
fn kill_a_run(database: &Database<'_>, model: &Model, random: &mut Random, when: &str) {
    let (declare, run, back) = KILLED[usize::try_from(random.next()).unwrap() % KILLED.len()];
    let moment = Duration::from_millis(random.next() % 500);
    database.execute(declare);
    killed(&database.url_text(), run, |_| std::thread::sleep(moment));
    compare(database, model, random, &format!("{when}: {run:?} was killed after {moment:?}"));
    migrations(&database.url_text(), back).succeeds();
    migrations(&database.url_text(), &["--yes"]).succeeds();
}

/// Random inserts, updates, deletes, moves and truncations, through the table and straight to leaves; folds, splits, merges, kills.
fn a_model_in_memory_finds_the_same_after_every_step(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    let url = database.url_text();
    let mut random = Random::new(14);
    let mut model = Model::new();
    for step in 0..120 {
        let (name, path) = (format!("r{}", random.next() % 3), format!("p{}", random.next() % 12));
        let (key, vector) = ((name.clone(), path.clone()), some_vector(&mut random));
        let values = format!("('{name}', '{path}', 'm', sha256('x'), '{}')", literal(&vector));
        let insert = "INSERT INTO embeddings (repo_name, path, model, content_hash, embedding) VALUES";
        let at = format!("WHERE repo_name = '{name}' AND path = '{path}'");
        let kind = random.next() % 22;
        match kind {
            0..=8 => {
                database.execute(&format!(
                    "{insert} {values} ON CONFLICT (repo_name, path) DO UPDATE SET embedding = excluded.embedding"
                ));
                model.insert(key, vector);
            }
            9 | 10 => {
                database.execute(&format!("UPDATE embeddings SET embedding = '{}' {at}", literal(&vector)));
                model.entry(key).and_modify(|stored| *stored = vector);
            }
            11 => database.execute(&format!("UPDATE embeddings SET metadata = '{{\"step\": {step}}}' {at}")),
            12 | 13 => {
                let leaf = database.text(&format!(
                    "SELECT COALESCE((SELECT tableoid::regclass::text FROM embeddings {at}), 'embeddings')"
                ));
                database.execute(&format!("DELETE FROM {leaf} {at}"));
                model.remove(&key);
            }
            14 | 15 => {
                let to = (format!("r{}", random.next() % 3), format!("moved{step}"));
                database.execute(&format!("UPDATE embeddings SET repo_name = '{}', path = '{}' {at}", to.0, to.1));
                if let Some(stored) = model.remove(&key) {
                    model.insert(to, stored);
                }
            }
            16 => {
                let leaf = database
                    .text(&format!("SELECT COALESCE((SELECT tableoid::regclass::text FROM embeddings {at}), '')"));
                if !leaf.is_empty() {
                    let gone = database.column(&format!("SELECT DISTINCT repo_name FROM {leaf}"));
                    database.execute(&format!("TRUNCATE {leaf}"));
                    model.retain(|(name, _), _| !gone.contains(name));
                }
            }
            17 => fold(&database),
            18 => {
                let ends = if step % 2 == 0 { "COMMIT" } else { "ROLLBACK" };
                database.execute(&format!("BEGIN; DELETE FROM embeddings {at}; {insert} {values}; {ends}"));
                if ends == "COMMIT" {
                    model.insert(key, vector);
                }
            }
            19 | 20 => kill_a_run(&database, &model, &mut random, &format!("in step {step}")),
            _ => {
                let turn = if step % 2 == 0 { "split" } else { "merge" };
                let leaf = if turn == "split" { "16/3" } else { "8/5" };
                // Whichever of the two can be done.
                migrations(&url, &[turn, "--table", "embeddings", "--leaf", leaf, "--yes"]);
            }
        }
        let when = format!("after step {step}, of kind {kind}");
        assert_equal(&database, &when);
        compare(&database, &model, &mut random, &when);
    }
    database.execute("TRUNCATE embeddings");
    assert_equal(&database, "after a truncation");
    fold(&database);
    assert_eq!(database.text("SELECT count(*)::text FROM db_service.embedding_codes"), "0");
    Passed
}
