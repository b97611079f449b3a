//! How much of the truth searches find, measured on the rows at hand.

use sqlx::PgConnection;

use super::{Error, Hit, Query, Recall, Scope, search};

/// Neighbours that are looked for.
const NEIGHBOURS: usize = 10;

/// A stored vector, and how far its nearest neighbours are.
#[derive(Clone, Debug)]
pub struct Sample {
    query: Query,
    repository: String,
    path: String,
    /// In order; without the vector itself.
    nearest: Vec<f64>,
}

/// What searches for samples have found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// Of the nearest neighbours, those that were found, from 0 to 1; what is as near as the last of them counts.
    pub recall: f64,
    /// How they were found, each way once.
    pub ways: Vec<String>,
    /// Searches.
    pub searches: usize,
}

impl Sample {
    /// So many stored vectors, with their neighbours by comparing everything. Fewer where there are fewer.
    ///
    /// # Errors
    /// As those of a search.
    pub async fn take(connection: &mut PgConnection, scope: &Scope, count: u32) -> Result<Vec<Self>, Error> {
        let repository = match scope {
            Scope::Repository(repository) => Some(repository.as_str()),
            Scope::Repositories(_) | Scope::Everywhere => None,
        };
        let rows =
            sqlx::query_file!("queries/samples.sql", repository, i64::from(count)).fetch_all(&mut *connection).await?;
        let mut samples = Vec::new();
        for row in rows {
            let query = Query::new(row.vector.0, scope.clone()).model(row.model).nearest(NEIGHBOURS_AND_ITSELF);
            let mut sample = Self { query, repository: row.repository, path: row.path, nearest: Vec::new() };
            sample.nearest = sample.distances(connection, Recall::Exact).await?.0;
            samples.push(sample);
        }
        Ok(samples)
    }

    /// Distances of its neighbours, and how they were found.
    async fn distances(&self, connection: &mut PgConnection, recall: Recall) -> Result<(Vec<f64>, Vec<Hit>), Error> {
        let hits = search(connection, &self.query.clone().recall(recall)).await?;
        let others = hits.iter().filter(|hit| (&hit.repository, &hit.path) != (&self.repository, &self.path));
        Ok((others.map(|hit| hit.distance).take(NEIGHBOURS).collect(), hits))
    }
}

#[expect(clippy::cast_possible_truncation, reason = "it is small")]
const NEIGHBOURS_AND_ITSELF: u32 = NEIGHBOURS as u32 + 1;

/// Searches for the samples, and compares what is found with their neighbours.
///
/// # Errors
/// As those of a search.
pub async fn measure(connection: &mut PgConnection, samples: &[Sample], recall: Recall) -> Result<Found, Error> {
    let (mut found, mut all, mut ways) = (0, 0, Vec::new());
    for sample in samples {
        let (distances, hits) = sample.distances(connection, recall).await?;
        let farthest = sample.nearest.last().copied().unwrap_or(f64::NEG_INFINITY);
        found += distances.iter().filter(|distance| **distance <= farthest).count();
        all += sample.nearest.len();
        ways.extend(hits.into_iter().map(|hit| hit.way));
        ways.sort_unstable();
        ways.dedup();
    }
    #[expect(clippy::cast_precision_loss, reason = "a share")]
    let recall = if all == 0 { 1.0 } else { found as f64 / all as f64 };
    Ok(Found { recall, ways, searches: samples.len() })
}
