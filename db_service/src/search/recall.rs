//! How much of the truth searches find, measured on the rows at hand.

use sqlx::PgConnection;

use super::{Error, Hit, Query, Recall, Scope, search};

/// Neighbours that are looked for.
const NEIGHBOURS: u32 = 10;

/// How much of another stored vector is added to one. An index finds the neighbours of what it holds more easily than those of what
/// it does not: on 12,800 real embeddings with `ef_search` 20, 99.9 of 100 for stored ones and 98.4 for 200 that had been taken out.
/// For 0.3 it were 99.3, for 0.5 96.4; with 30, 99.9, 99.4, 99.5 and 97.9.
const OF_ANOTHER: f32 = 0.4;

/// What is searched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// Stored vectors: an index that is sound finds the neighbours of what it holds.
    Stored,
    /// Vectors that are stored nowhere and lie among those that are, as those of users do.
    Between,
}

/// A vector, and how far its nearest neighbours are.
#[derive(Clone, Debug)]
pub struct Sample {
    query: Query,
    /// Its repository and path, if it is stored.
    itself: Option<(String, String)>,
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
    /// Made of so many stored vectors, with their neighbours by comparing everything. Fewer where there are fewer.
    ///
    /// # Errors
    /// As those of a search.
    pub async fn take(
        connection: &mut PgConnection,
        scope: &Scope,
        count: u32,
        made: Made,
    ) -> Result<Vec<Self>, Error> {
        let repository = match scope {
            Scope::Repository(repository) => Some(repository.as_str()),
            Scope::Repositories(_) | Scope::Everywhere => None,
        };
        let rows =
            sqlx::query_file!("queries/samples.sql", repository, i64::from(count)).fetch_all(&mut *connection).await?;
        let mut samples = Vec::new();
        for (number, row) in rows.iter().enumerate() {
            let (vector, itself) = match made {
                Made::Stored => (row.vector.0.clone(), Some((row.repository.clone(), row.path.clone()))),
                Made::Between => {
                    let others = rows.iter().cycle().skip(number + 1).take(rows.len());
                    let other = others.filter(|other| other.model == row.model).map(|other| &other.vector.0).next();
                    (among(&row.vector.0, other.unwrap_or(&row.vector.0)), None)
                }
            };
            let query = Query::new(vector, scope.clone()).model(row.model.clone()).nearest(NEIGHBOURS + 1);
            let mut sample = Self { query, itself, nearest: Vec::new() };
            sample.nearest = sample.distances(connection, Recall::Exact).await?.0;
            samples.push(sample);
        }
        Ok(samples)
    }

    /// Distances of its neighbours, and how they were found.
    async fn distances(&self, connection: &mut PgConnection, recall: Recall) -> Result<(Vec<f64>, Vec<Hit>), Error> {
        let hits = search(connection, &self.query.clone().recall(recall)).await?;
        let is_itself = |hit: &Hit| {
            self.itself.as_ref().is_some_and(|(repository, path)| (repository, path) == (&hit.repository, &hit.path))
        };
        let others = hits.iter().filter(|hit| !is_itself(hit)).map(|hit| hit.distance);
        Ok((others.take(NEIGHBOURS as usize).collect(), hits))
    }
}

/// A direction between two, nearer to the first.
fn among(one: &[f32], other: &[f32]) -> Vec<f32> {
    let length = |vector: &[f32]| vector.iter().map(|it| it * it).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    let (of_one, of_other) = (1.0 / length(one), OF_ANOTHER / length(other));
    one.iter().zip(other).map(|(one, other)| one * of_one + other * of_other).collect()
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_lies_between_two_directions_and_nearer_to_the_first() {
        assert_eq!(among(&[3.0, 0.0], &[0.0, 0.5]), [1.0, 0.4]);
        assert_eq!(among(&[0.0, 2.0], &[0.0, 2.0]), [0.0, 1.4]);
        assert!(among(&[0.0, 0.0], &[1.0, 0.0])[0] > 0.0);
    }
}
