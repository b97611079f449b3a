//! Answers of language models, found again: by the same prompt, or by one that means nearly the same.
//!
//! The functions are those of `012_semantic_cache.sql`, which the application calls as well; the answers are rows of
//! `llm_semantic_cache`. This adds that hits are counted in batches. An answer about code that has changed since is never found:
//! the versions of the repositories are a part of its [`Namespace`], which is read before the answer is computed.
//!
//! ```no_run
//! # async fn ask(prompt: &str) -> String { String::new() }
//! # async fn example(pool: sqlx::PgPool, prompt: &str, vector: Vec<f32>) -> Result<String, db_service::answers::Error> {
//! use db_service::answers::{Answers, New, Prompt};
//! use db_service::search::Scope;
//!
//! let answers = Answers::new(pool);
//! let namespace = answers.namespace("some-model", "explain v3", &Scope::Repository("tokio".into())).await?;
//! let prompt = Prompt::new(prompt).meaning(vector);
//! if let Some(answer) = answers.find(namespace.as_ref(), &prompt, 0.05).await? {
//!     return Ok(answer.response);
//! }
//! let response = ask(prompt.text()).await;
//! answers.store(namespace.as_ref(), &prompt, &New::of("some-model", &response)).await?;
//! # Ok(response)
//! # }
//! ```

mod answer;
mod error;
mod hits;
mod prompt;
mod saved;

use std::sync::Arc;

use sqlx::PgPool;

use crate::interval::interval;
use crate::search::{Scope, vector_text};
use hits::Hits;

pub use answer::{Answer, Namespace, New};
pub use error::Error;
pub use prompt::Prompt;
pub use saved::{Saved, saved};

/// The answers of a database. A clone counts hits together with the one that it was cloned from.
#[derive(Clone, Debug)]
pub struct Answers {
    pool: PgPool,
    hits: Arc<Hits>,
}

impl Answers {
    /// Nothing is asked before it is needed.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self { pool, hits: Arc::default() }
    }

    /// What answers depend on, as of now: the model, the template of the prompt with all settings of the model, and the repositories
    /// that are read for it, which may be none. To be read before the answer is computed, and used unchanged when it is stored.
    ///
    /// None while versions of repositories are not kept: then nothing is found, and nothing is stored.
    ///
    /// # Errors
    /// [`Error::NotInstalled`] where the layer is not, [`Error::Failed`] otherwise.
    pub async fn namespace(&self, model: &str, template: &str, reads: &Scope) -> Result<Option<Namespace>, Error> {
        let repositories = match reads {
            Scope::Repository(repository) => Some(std::slice::from_ref(repository)),
            Scope::Repositories(repositories) => Some(repositories.as_slice()),
            Scope::Everywhere => None,
        };
        let name = sqlx::query_scalar!("SELECT db_service.answer_namespace($1, $2, $3)", model, template, repositories)
            .fetch_one(&self.pool)
            .await?;
        Ok(name.map(Namespace))
    }

    /// The answer to the same prompt, else to the nearest one within a cosine distance. Other ends of lines, blanks around it and
    /// another composition of its characters make no other prompt. That it was used is noted some time later.
    ///
    /// # Errors
    /// [`Error::Refused`] for what cannot be meant: a vector of zeros, a distance out of bounds; else as above.
    pub async fn find(
        &self,
        namespace: Option<&Namespace>,
        prompt: &Prompt,
        within: f64,
    ) -> Result<Option<Answer>, Error> {
        let Some(namespace) = namespace else { return Ok(None) };
        let vector = prompt.vector().map(vector_text);
        let find = sqlx::query_file_as!(Answer, "queries/find_answer.sql", namespace.0, prompt.text(), vector, within);
        let answer = find.fetch_optional(&self.pool).await?;
        if let Some(answer) = &answer
            && self.hits.add(answer.id)
        {
            let (pool, hits) = (self.pool.clone(), Arc::clone(&self.hits));
            // Whoever asked does not wait for it. What could not be written is kept for the next time.
            tokio::spawn(async move { hits.write(&pool).await });
        }
        Ok(answer)
    }

    /// Stores an answer; another one to the same prompt is replaced. Returns its id; without a namespace, nothing is stored.
    ///
    /// # Errors
    /// As above; also where the prompt has no vector.
    pub async fn store(
        &self,
        namespace: Option<&Namespace>,
        prompt: &Prompt,
        new: &New<'_>,
    ) -> Result<Option<i64>, Error> {
        let Some(namespace) = namespace else { return Ok(None) };
        let Some(vector) = prompt.vector() else {
            return Err(Error::Refused { what: "a prompt is stored together with its vector".into(), hint: None });
        };
        let tokens = |count| i32::try_from(count).unwrap_or(i32::MAX);
        let store = sqlx::query_file_scalar!(
            "queries/store_answer.sql",
            namespace.0,
            new.model,
            prompt.text(),
            vector_text(vector),
            new.response,
            new.lifetime.map(interval),
            tokens(new.prompt_tokens),
            tokens(new.response_tokens),
            new.cost_usd,
            new.metadata
        );
        Ok(store.fetch_one(&self.pool).await?)
    }

    /// Writes down what was used and is not noted yet; to be called at the end.
    ///
    /// # Errors
    /// As above; then it is kept for the next time.
    pub async fn note_hits(&self) -> Result<(), Error> {
        self.hits.write(&self.pool).await.map_err(Error::from)
    }
}
