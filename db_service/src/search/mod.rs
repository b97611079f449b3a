//! Similar code: in one repository, in some, or across all of them.
//!
//! The search itself is the functions of `005_search.sql` and `006_filtered_search.sql`, which the application calls as well; this gives them a value to
//! ask with and one to answer with. When which way is taken: `docs/search.md`.
//!
//! ```no_run
//! # async fn example(url: &database::DatabaseUrl, vector: Vec<f32>) -> Result<(), db_service::search::Error> {
//! use db_service::search::{self, Query, Recall, Scope};
//!
//! let pool = search::pool(url, 10);
//! let query = Query::new(vector, Scope::Repository("tokio".into())).nearest(5).recall(Recall::Exact);
//! for hit in search::search(&pool, &query).await? {
//!     println!("{} {} {:.3}, found by {}", hit.repository, hit.path, hit.distance, hit.way);
//! }
//! # Ok(())
//! # }
//! ```

mod cached;
mod calibrate;
mod error;
mod explain;
mod query;
mod recall;
mod recorded;

use database::DatabaseUrl;
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgPoolOptions;
use sqlx::{PgExecutor, PgPool};

pub use cached::cached;
pub use calibrate::{Calibrated, calibrate, wanted};
pub use error::Error;
pub use explain::{Explained, explain};
pub(crate) use query::vector_text;
pub use query::{Query, Recall, Scope};
pub use recall::{Found, Made, Sample, measure};
pub use recorded::{Outcome, recorded};

/// One stored vector that is near to the one that was asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hit {
    /// `embeddings.repo_name`.
    pub repository: String,
    /// `embeddings.path`: a file, or a part of one.
    pub path: String,
    /// Cosine distance, from 0 (the same direction) to 2 (the opposite), computed from the stored vector.
    pub distance: f64,
    /// How it was found: `exact`, `hnsw`, `halfvec`, `bits`, `vchordrq` or `merge-append`.
    pub way: String,
}

/// Connections for searches, at most so many; each is opened when it is needed.
///
/// The functions pin how their statements are planned, so any other pool will do as well.
#[must_use]
pub fn pool(url: &DatabaseUrl, most: u32) -> PgPool {
    PgPoolOptions::new().max_connections(most).connect_lazy_with(url.for_sqlx().application_name("singularity search"))
}

/// The nearest stored vectors, nearest first, then by repository and path: as many as were asked for, if so many qualify.
///
/// # Errors
/// [`Error::Refused`] for what no search can mean, [`Error::NotInstalled`] where the layer is not, [`Error::Failed`] otherwise.
pub async fn search(executor: impl PgExecutor<'_>, query: &Query) -> Result<Vec<Hit>, Error> {
    let (one, several) = match &query.scope {
        Scope::Repository(repository) => (Some(repository.as_str()), None),
        Scope::Repositories(repositories) => (None, Some(repositories.as_slice())),
        Scope::Everywhere => (None, None),
    };
    sqlx::query_file_as!(
        Hit,
        "queries/search.sql",
        one,
        several,
        vector_text(&query.vector),
        i32::try_from(query.k).unwrap_or(i32::MAX),
        query.model.as_deref(),
        query.path_prefix.as_deref(),
        query.language.as_deref(),
        query.metadata.as_ref(),
        query.recall.name(),
    )
    .fetch_all(executor)
    .await
    .map_err(Error::from)
}
