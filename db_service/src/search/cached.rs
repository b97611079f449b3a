//! Searches through a cache.

use sqlx::PgPool;

use super::{Error, Hit, Query, Scope, search};
use crate::cache::{Answer, Cache, Question, Reads};

/// The same as a search, from the cache where it has been made before and nothing has changed since; and where the answer came
/// from. What `migrations calibrate` or another form of the codes finds otherwise is no change of rows: answers stay.
///
/// # Errors
/// As those of a search; those of the cache are none.
pub async fn cached(cache: &Cache<Vec<Hit>>, pool: &PgPool, query: &Query) -> Result<Answer<Vec<Hit>>, Error> {
    cache.get(question(query), async || search(pool, query).await).await
}

fn question(query: &Query) -> Question {
    let Query { vector, scope, k, model, path_prefix, language, metadata, recall } = query;
    let (scope, reads) = match scope {
        Scope::Repository(repository) => ("one", Reads::repository(repository)),
        Scope::Repositories(repositories) => ("some", Reads::repositories(repositories)),
        Scope::Everywhere => ("all", Reads::Everything),
    };
    let vector: Vec<u8> = vector.iter().flat_map(|component| component.to_le_bytes()).collect();
    Question::new("search", reads)
        .with(scope)
        .with(vector)
        .with(k.to_le_bytes())
        .with_optional(model.as_deref())
        .with_optional(path_prefix.as_deref())
        .with_optional(language.as_deref())
        .with_optional(metadata.as_ref().map(ToString::to_string))
        .with(recall.name())
}
