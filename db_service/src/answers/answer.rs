//! Answers, and what they depend on.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

/// What an answer depends on: nothing is ever found across namespaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Namespace(pub(super) String);

impl Namespace {
    /// As `llm_semantic_cache.namespace` has it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One that was stored.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    /// `llm_semantic_cache.id`.
    pub id: i64,
    /// What the model said.
    pub response: String,
    /// The prompt that it said it to.
    pub asked: String,
    /// How far that is from the one that was looked for: cosine distance, 0 for the same text.
    pub distance: f64,
    /// `exact`: the same prompt; `near`: one within the distance.
    pub way: String,
}

/// One to be stored.
#[derive(Clone, Debug, PartialEq)]
pub struct New<'a> {
    /// Who said it.
    pub model: &'a str,
    /// What it said. Not an error, and nothing that only one person may see.
    pub response: &'a str,
    /// None: for ever. An answer whose repositories have changed is never found again, so that without an end it stays for nothing.
    pub lifetime: Option<Duration>,
    /// What it read.
    pub prompt_tokens: u32,
    /// What it wrote.
    pub response_tokens: u32,
    /// What the answer has cost, and each hit saves. Six digits behind the point are kept.
    pub cost_usd: f64,
    /// Anything.
    pub metadata: Value,
}

impl<'a> New<'a> {
    const WEEK: Duration = Duration::from_hours(7 * 24);

    /// For a week, and free of charge.
    #[must_use]
    pub fn of(model: &'a str, response: &'a str) -> Self {
        Self {
            model,
            response,
            lifetime: Some(Self::WEEK),
            prompt_tokens: 0,
            response_tokens: 0,
            cost_usd: 0.0,
            metadata: Value::Object(serde_json::Map::new()),
        }
    }
}
