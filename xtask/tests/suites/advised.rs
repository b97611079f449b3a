//! What `migrations advise` says of a database, and databases that are large.

use serde_json::Value;

use crate::command::migrations;
use crate::database::{Database, Stage};
use crate::server::TestServer;

/// About the server's version, whatever the database.
const OF_SERVER: [&str; 2] = ["pgvector", "parallel-builds"];

/// What a run has said.
pub(crate) struct Advised(pub(crate) Value);

pub(crate) fn advised(url: &str, more: &[&str]) -> Advised {
    let json = migrations(url, &[&["advise", "--json"], more].concat()).succeeds().json();
    assert_eq!((&json["command"], &json["outcome"]), (&"migrations advise".into(), &"unchanged".into()));
    Advised(json)
}

impl Advised {
    pub(crate) fn steps(&self) -> impl Iterator<Item = &Value> {
        self.0["steps"].as_array().unwrap().iter()
    }

    #[track_caller]
    pub(crate) fn rule(&self, rule: &str) -> &Value {
        let step = self.steps().find(|step| step["name"] == rule);
        step.unwrap_or_else(|| panic!("there is no `{rule}` in {:#}", self.0))
    }

    #[track_caller]
    pub(crate) fn says(&self, rule: &str, text: &str) {
        let step = self.rule(rule);
        assert!(step["detail"].as_str().unwrap().contains(text), "`{text}` is not in {step:#}");
    }

    pub(crate) fn verdict(&self, rule: &str) -> &str {
        self.rule(rule)["facts"]["verdict"].as_str().unwrap()
    }

    pub(crate) fn figure(&self, rule: &str, name: &str) -> &Value {
        &self.rule(rule)["facts"]["figures"][name]
    }

    pub(crate) fn commands(&self, rule: &str) -> Vec<&str> {
        let commands = self.rule(rule)["facts"]["commands"].as_array().unwrap();
        commands.iter().map(|command| command.as_str().unwrap()).collect()
    }

    /// The rules by which something is to be done, each once; those about the server's version left out.
    pub(crate) fn to_do(&self) -> Vec<&str> {
        let to_do = self.steps().filter(|step| step["facts"]["verdict"] == "to_do");
        let mut rules: Vec<&str> = to_do.map(|step| step["name"].as_str().unwrap()).collect();
        rules.retain(|rule| !OF_SERVER.contains(rule));
        rules.dedup();
        rules
    }
}

/// From now on a table or an index has files of so many GB, and the server believes that it has counted so many rows. Nothing is
/// written: files with holes.
pub(crate) fn stretch(database: &Database<'_>, relation: &str, gigabytes: u64, rows: u64) {
    let segments = gigabytes - 1;
    database.execute(&format!(
        "DO $do$
         DECLARE path text := pg_relation_filepath('{relation}');
         BEGIN
             EXECUTE format('COPY (SELECT 1) TO PROGRAM %L', format(
                 'cat > /dev/null; truncate -s 1073741824 %1$s $(seq -f %1$s.%%.0f 1 {segments})', path));
         END $do$;
         UPDATE pg_class SET reltuples = {rows}, relpages = {gigabytes} * 131072 WHERE oid = '{relation}'::regclass"
    ));
    assert!(database.truth(&format!("SELECT pg_relation_size('{relation}') = {gigabytes} * (1::bigint << 30)")));
}

/// Fifteen million vectors in a plain table.
pub(crate) fn large(server: &TestServer) -> Database<'_> {
    let database = Database::at(server, Stage::Ecto);
    database.execute("ALTER TABLE embeddings SET (autovacuum_enabled = false); ALTER TABLE code_files SET (autovacuum_enabled = false)");
    stretch(&database, "embeddings", 58, 15_000_000);
    stretch(&database, "embeddings_embedding_index", 58, 15_000_000);
    stretch(&database, "code_files", 12, 3_400_000);
    database
}
