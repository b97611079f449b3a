//! `search`: its options, what it asks, and how it shows the answer.

use std::fs;
use std::io::Read as _;
use std::time::Instant;

use db_service::search::{self, Explained, Hit, Query, Recall, Scope};
use ledger::migration::LAYER;
use serde_json::json;
use sqlx::PgConnection;
use terminal::elapsed::Elapsed;
use terminal::step::{Status, Step};

use crate::problem::Problem;

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Search {
    /// Only in this repository; may be given several times. Default: in all of them
    #[arg(long, value_name = "NAME")]
    repository: Vec<String>,
    /// What is similar to this stored path: `src/lib.rs`, or a part of a file, `src/lib.rs#2`
    ///
    /// In the first of the repositories that are named, else wherever there is one.
    #[arg(long, value_name = "PATH", required_unless_present = "vector", conflicts_with = "vector")]
    like: Option<String>,
    /// What is near to the vector in this file, a JSON list of 768 numbers; `-` reads it from stdin
    #[arg(long, value_name = "FILE")]
    vector: Option<String>,
    /// So many of them
    #[arg(long, short, value_name = "NUMBER", default_value_t = 10)]
    k: u32,
    /// Only vectors of this model; to be named where the table holds those of several
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Only paths that begin so: `src/parser/`
    #[arg(long, value_name = "PREFIX")]
    folder: Option<String>,
    /// Only files in this language
    #[arg(long, value_name = "NAME")]
    language: Option<String>,
    /// Only rows whose metadata contain this JSON
    #[arg(long, value_name = "JSON", value_parser = json_value)]
    metadata: Option<serde_json::Value>,
    /// How many of the true nearest are wanted: most, 99 of 100, or all
    #[arg(long, value_name = "RECALL", default_value = "balanced")]
    recall: Wanted,
    /// Show by which plans it ran, and what each statement cost; for superusers
    #[arg(long)]
    explain: bool,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum Wanted {
    Fast,
    Balanced,
    Exact,
}

impl From<Wanted> for Recall {
    fn from(wanted: Wanted) -> Self {
        match wanted {
            Wanted::Fast => Self::Fast,
            Wanted::Balanced => Self::Balanced,
            Wanted::Exact => Self::Exact,
        }
    }
}

/// What came of it.
pub(crate) struct Found {
    pub(crate) steps: Vec<Step>,
    /// For stdout.
    pub(crate) text: String,
}

impl Search {
    pub(crate) async fn run(&self, connection: &mut PgConnection, database: &str) -> Result<Found, Problem> {
        let query = self.query(connection, database).await?;
        let started = Instant::now();
        let (hits, explained) = if self.explain {
            search::explain(connection, &query).await?
        } else {
            (search::search(&mut *connection, &query).await?, Vec::new())
        };
        let took = Elapsed(started.elapsed()).to_string();
        let mut steps: Vec<Step> = hits.iter().map(|hit| step(database, hit)).collect();
        steps.extend(explained.iter().enumerate().map(|(number, it)| step_of_plan(database, number + 1, it)));
        let plans: String = explained.iter().enumerate().map(|(number, it)| text_of_plan(number + 1, it)).collect();
        Ok(Found { steps, text: plans + &text(&hits, &took) })
    }

    async fn query(&self, connection: &mut PgConnection, database: &str) -> Result<Query, Problem> {
        let vector = match (&self.like, &self.vector) {
            (Some(path), _) => self.stored(path, connection, database).await?,
            (None, source) => read(source.as_deref().unwrap_or("-"))?,
        };
        let scope = match self.repository.as_slice() {
            [] => Scope::Everywhere,
            [one] => Scope::Repository(one.clone()),
            several => Scope::Repositories(several.to_vec()),
        };
        let query = Query::new(vector, scope).nearest(self.k).recall(self.recall.into());
        let query = self.model.iter().fold(query, Query::model);
        let query = self.folder.iter().fold(query, Query::path_prefix);
        let query = self.language.iter().fold(query, Query::language);
        Ok(self.metadata.iter().fold(query, |query, metadata| query.metadata(metadata.clone())))
    }

    /// The vector that is stored under a path.
    async fn stored(&self, path: &str, connection: &mut PgConnection, database: &str) -> Result<Vec<f32>, Problem> {
        let repository = self.repository.first();
        let text = sqlx::query_scalar!(
            r#"SELECT e.embedding::text AS "vector!" FROM public.embeddings e
               WHERE (e.path = $1 OR pg_catalog.starts_with(e.path, $1 || '#'))
                 AND ($2::text IS NULL OR e.repo_name = $2) AND ($3::text IS NULL OR e.model = $3)
               ORDER BY e.path <> $1, e.repo_name, e.path LIMIT 1"#,
            path,
            repository,
            self.model,
        )
        .fetch_optional(connection)
        .await
        .map_err(database::Error::sql("read the vector of a path", database))?;
        let text =
            text.ok_or_else(|| Problem::UnknownPath { path: path.to_owned(), repository: repository.cloned() })?;
        numbers(&text).map_err(|cause| Problem::NoVector { holder: path.to_owned(), cause })
    }
}

fn read(source: &str) -> Result<Vec<f32>, Problem> {
    let mut text = String::new();
    let read = match source {
        "-" => std::io::stdin().read_to_string(&mut text).map(drop),
        file => fs::read_to_string(file).map(|content| text = content),
    };
    read.map_err(|cause| Problem::Unreadable { file: source.to_owned(), cause })?;
    numbers(&text).map_err(|cause| Problem::NoVector { holder: source.to_owned(), cause })
}

/// pgvector writes vectors as JSON does.
fn numbers(text: &str) -> Result<Vec<f32>, serde_json::Error> {
    serde_json::from_str(text)
}

fn json_value(text: &str) -> Result<serde_json::Value, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

fn step(database: &str, hit: &Hit) -> Step {
    let facts = json!({ "repository": hit.repository, "path": hit.path, "distance": hit.distance, "way": hit.way });
    Step::new(database, LAYER, "hit", &hit.path, Status::Found).facts(facts)
}

fn step_of_plan(database: &str, number: usize, explained: &Explained) -> Step {
    let Explained { statement, milliseconds, plan } = explained;
    let facts = json!({ "statement": statement, "milliseconds": milliseconds, "plan": plan });
    Step::new(database, LAYER, "plan", number.to_string(), Status::Found).facts(facts)
}

/// A statement with its time, in order; those that read no table of vectors without their plans.
fn text_of_plan(number: usize, explained: &Explained) -> String {
    let Explained { statement, milliseconds, plan } = explained;
    let of_vectors = ["public.embeddings", "_codes", "qualifying"].iter().any(|name| statement.contains(name));
    let plan = plan.iter().filter(|_| of_vectors).fold(String::new(), |text, line| format!("{text}     {line}\n"));
    let statement: String = statement.chars().take(LONGEST).collect();
    format!("{number:>2}. {milliseconds:.3} ms  {statement}\n{plan}")
}

/// Of a statement, so much is shown.
const LONGEST: usize = 150;

/// One line each: distance, repository, path.
fn text(hits: &[Hit], took: &str) -> String {
    if hits.is_empty() {
        return format!("nothing qualifies ({took})");
    }
    let widest = hits.iter().map(|hit| hit.repository.chars().count()).max().unwrap_or_default();
    let line = |hit: &Hit| format!("{:.4}  {:widest$}  {}\n", hit.distance, hit.repository, hit.path);
    let lines: String = hits.iter().map(line).collect();
    let mut ways: Vec<&str> = hits.iter().map(|hit| hit.way.as_str()).collect();
    ways.sort_unstable();
    ways.dedup();
    format!("{lines}{} found by {} ({took})", hits.len(), ways.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hit(repository: &str, way: &str) -> Hit {
        Hit { repository: repository.into(), path: "src/lib.rs".into(), distance: 0.125, way: way.into() }
    }

    #[test]
    fn hits_are_a_table_with_the_way_beneath() {
        let hits = [hit("a", "exact"), hit("longer", "hnsw")];
        let shown = "0.1250  a       src/lib.rs\n0.1250  longer  src/lib.rs\n2 found by exact, hnsw (3 ms)";
        assert_eq!(text(&hits, "3 ms"), shown);
        assert_eq!(text(&[], "3 ms"), "nothing qualifies (3 ms)");
    }
}
