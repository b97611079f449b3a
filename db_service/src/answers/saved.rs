//! What answers have saved.

use serde::Serialize;
use sqlx::PgExecutor;

use super::Error;

/// Of a model, by the answers that are stored.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Saved {
    /// Its name.
    pub model: String,
    /// How many answers there are.
    pub answers: i64,
    /// How often one of them was found, as far as it was noted.
    pub hits: i64,
    /// Tokens that were neither read nor written again.
    pub tokens: i64,
    /// What that would have cost.
    pub cost_usd: f64,
}

/// By model, who has saved most first.
///
/// # Errors
/// [`Error::NotInstalled`] where the layer is not, [`Error::Failed`] otherwise.
pub async fn saved(executor: impl PgExecutor<'_>) -> Result<Vec<Saved>, Error> {
    let rows = sqlx::query_as!(
        Saved,
        r#"SELECT s.model AS "model!", s.answers AS "answers!", s.hits AS "hits!", s.tokens AS "tokens!",
                  s.cost_usd::double precision AS "cost_usd!"
           FROM db_service.answers_saved() s"#
    );
    rows.fetch_all(executor).await.map_err(Error::from)
}
