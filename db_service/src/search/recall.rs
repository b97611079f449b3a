//! How much of the truth searches find, measured on the rows at hand.

use sqlx::PgConnection;

use super::{Error, Hit, Query, Recall, Scope, search};

/// Neighbours that are looked for.
const NEIGHBOURS: u32 = 10;

/// How much of another stored vector is added to one. An index finds the neighbours of what it holds more easily than those of what
/// it does not: on 12,800 real embeddings with `ef_search` 20, 99.9 of 100 for stored ones and 98.4 for 200 that had been taken out.
/// For 0.3 it were 99.3, for 0.5 96.4; with 30, 99.9, 99.4, 99.5 and 97.9.
const OF_ANOTHER: f32 = 0.4;

/// What is hardly farther away than the stored vector that a query was made of is of its kind: copies of a file, forks, generated code.
/// Where there are such, a query counts twice: with them, since an index may lose its way among copies (of 87,150 real embeddings with
/// seven near copies each it found 95 of 100 where 99 of the others were found), and without, as if they had been taken out, since
/// they may be all that there is to be found (on 10,000 real embeddings codes as bits, calibrated so, find 99.2 of 100 neighbours of
/// vectors that are not stored, and 98.7 before).
const OF_ITS_KIND: f64 = 0.08;

/// Of those so many are passed over at most; where there are more, none.
const MOST_OF_A_KIND: u32 = 100;

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
    /// What is no farther away is not looked for.
    kin: f64,
    /// In order; without the vector itself.
    nearest: Vec<f64>,
}

/// What searches for samples have found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// Of the nearest neighbours, those that were found, from 0 to 1; what is as near as the last of them counts. Of queries with
    /// those of their kind and of queries without them, the lesser.
    pub recall: f64,
    /// How far the truth may be from that: its standard error. Where a search that loses its way loses all of a cluster, it is large.
    pub margin: f64,
    /// How they were found, each way once.
    pub ways: Vec<String>,
    /// Searches.
    pub searches: usize,
}

impl Found {
    /// Whether so much is found, or more, by more than the margin.
    pub(super) fn is_surely(&self, wanted: f64) -> bool {
        self.recall - self.margin >= wanted
    }
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
            let stored = &row.vector.0;
            let (vector, itself) = match made {
                Made::Stored => (stored.clone(), Some((row.repository.clone(), row.path.clone()))),
                Made::Between => {
                    let others = rows.iter().cycle().skip(number + 1).take(rows.len());
                    let other = others.filter(|other| other.model == row.model).map(|other| &other.vector.0).next();
                    (among(stored, other.unwrap_or(stored)), None)
                }
            };
            let kin = match made {
                Made::Stored => f64::NEG_INFINITY,
                Made::Between => distance(&vector, stored) + OF_ITS_KIND,
            };
            let query = Query::new(vector, scope.clone()).model(row.model.clone());
            samples.extend(Self { query, itself, kin, nearest: Vec::new() }.compared(connection).await?);
        }
        Ok(samples)
    }

    /// The same with its neighbours, and asking for as many rows as it takes to find them; and once more without those of its kind.
    async fn compared(self, connection: &mut PgConnection) -> Result<Vec<Self>, Error> {
        let most = NEIGHBOURS + 1 + if self.kin.is_finite() { MOST_OF_A_KIND } else { 0 };
        let query = self.query.clone().nearest(most).recall(Recall::Exact);
        let hits = search(connection, &query).await?;
        Ok(self.among(&hits))
    }

    /// With the nearest rows as neighbours; and without those of its kind, where there are others.
    fn among(self, hits: &[Hit]) -> Vec<Self> {
        let passed = hits.iter().filter(|hit| hit.distance <= self.kin).count();
        let ways: &[(f64, usize)] = if passed == 0 || hits.len() < passed + NEIGHBOURS as usize {
            &[(f64::NEG_INFINITY, 0)]
        } else {
            &[(f64::NEG_INFINITY, 0), (self.kin, passed)]
        };
        let sample = |(kin, passed): &(f64, usize)| {
            let asked = NEIGHBOURS + 1 + u32::try_from(*passed).unwrap_or(MOST_OF_A_KIND);
            let sample = Self { query: self.query.clone().nearest(asked), kin: *kin, ..self.clone() };
            Self { nearest: sample.neighbours(hits), ..sample }
        };
        ways.iter().map(sample).collect()
    }

    /// Distances of the neighbours that are among the rows.
    fn neighbours(&self, hits: &[Hit]) -> Vec<f64> {
        let is_itself = |hit: &Hit| {
            self.itself.as_ref().is_some_and(|(repository, path)| (repository, path) == (&hit.repository, &hit.path))
        };
        let others = hits.iter().filter(|hit| !is_itself(hit) && hit.distance > self.kin);
        others.map(|hit| hit.distance).take(NEIGHBOURS as usize).collect()
    }
}

/// A direction between two, nearer to the first.
fn among(one: &[f32], other: &[f32]) -> Vec<f32> {
    let length = |vector: &[f32]| vector.iter().map(|it| it * it).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    let (of_one, of_other) = (1.0 / length(one), OF_ANOTHER / length(other));
    one.iter().zip(other).map(|(one, other)| one * of_one + other * of_other).collect()
}

/// Their cosine distance.
fn distance(one: &[f32], other: &[f32]) -> f64 {
    let product = |one: &[f32], other: &[f32]| {
        one.iter().zip(other).map(|(one, other)| f64::from(*one) * f64::from(*other)).sum::<f64>()
    };
    1.0 - product(one, other) / (product(one, one) * product(other, other)).sqrt().max(f64::MIN_POSITIVE)
}

/// Searches for the samples, and compares what is found with their neighbours.
///
/// # Errors
/// As those of a search.
pub async fn measure(connection: &mut PgConnection, samples: &[Sample], recall: Recall) -> Result<Found, Error> {
    let (mut tallies, mut ways) = ([Tally::default(); 2], Vec::new());
    for sample in samples {
        let hits = search(&mut *connection, &sample.query.clone().recall(recall)).await?;
        let distances = sample.neighbours(&hits);
        let farthest = sample.nearest.last().copied().unwrap_or(f64::NEG_INFINITY);
        let tally = &mut tallies[usize::from(sample.kin.is_finite())];
        tally.add(distances.iter().filter(|distance| **distance <= farthest).count(), sample.nearest.len());
        ways.extend(hits.into_iter().map(|hit| hit.way));
        ways.sort_unstable();
        ways.dedup();
    }
    let least = tallies.iter().min_by(|one, other| one.share().total_cmp(&other.share()));
    let (recall, margin) = least.map_or((1.0, 0.0), |tally| (tally.share(), tally.margin()));
    Ok(Found { recall, margin, ways, searches: samples.len() })
}

/// What was found of all that was there to be found.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    found: usize,
    all: usize,
    searches: f64,
    /// Of the share that each search has found, and of its square.
    sums: [f64; 2],
}

#[expect(clippy::cast_precision_loss, reason = "shares")]
impl Tally {
    fn add(&mut self, found: usize, all: usize) {
        self.found += found;
        self.all += all;
        let share = if all == 0 { 1.0 } else { found as f64 / all as f64 };
        self.searches += 1.0;
        self.sums = [self.sums[0] + share, self.sums[1] + share * share];
    }

    fn share(&self) -> f64 {
        if self.all == 0 { 1.0 } else { self.found as f64 / self.all as f64 }
    }

    /// The standard error of the share.
    fn margin(&self) -> f64 {
        let searches = self.searches.max(1.0);
        let [mean, square] = self.sums.map(|sum| sum / searches);
        ((square - mean * mean).max(0.0) / searches).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_lies_between_two_directions_and_nearer_to_the_first() {
        assert_eq!(among(&[3.0, 0.0], &[0.0, 0.5]), [1.0, 0.4]);
        assert_eq!(among(&[0.0, 2.0], &[0.0, 2.0]), [0.0, 1.4]);
        assert!(among(&[0.0, 0.0], &[1.0, 0.0])[0] > 0.0);
        assert!(
            (distance(&[2.0, 0.0], &[0.0, 3.0]) - 1.0).abs() < 1e-9 && distance(&[2.0, 1.0], &[4.0, 2.0]).abs() < 1e-9
        );
    }

    fn hits(count: u8) -> Vec<Hit> {
        let hit = |number: u8| Hit {
            repository: "r".into(),
            path: number.to_string(),
            distance: f64::from(number) / 10.0,
            way: String::new(),
        };
        (0..count).map(hit).collect()
    }

    fn sample(kin: f64) -> Sample {
        let query = Query::new(vec![1.0], Scope::Everywhere);
        Sample { query, itself: Some(("r".into(), "3".into())), kin, nearest: Vec::new() }
    }

    #[test]
    fn what_is_of_its_kind_is_not_among_its_neighbours() {
        let neighbours = sample(0.1).neighbours(&hits(20));
        assert_eq!((neighbours.len(), neighbours[0], neighbours[1], neighbours[9]), (10, 0.2, 0.4, 1.2));
    }

    #[test]
    fn a_query_counts_with_those_of_its_kind_and_without_them_where_there_are_others() {
        let nearest = |kin, count| {
            let samples = sample(kin).among(&hits(count));
            samples.iter().map(|it| (it.nearest[0], it.nearest.len())).collect::<Vec<_>>()
        };
        assert_eq!(nearest(0.1, 20), [(0.0, 10), (0.2, 10)]);
        assert_eq!(nearest(0.1, 11), [(0.0, 10)], "too few others");
        assert_eq!(nearest(f64::NEG_INFINITY, 20), [(0.0, 10)], "none of its kind");
    }

    #[test]
    fn a_share_is_known_the_better_the_less_searches_differ_and_the_more_there_are() {
        let tally = |found: &[usize]| {
            let mut tally = Tally::default();
            for found in found {
                tally.add(*found, 10);
            }
            (tally.share(), tally.margin())
        };
        assert_eq!([tally(&[]), tally(&[10, 10]), tally(&[9, 9])], [(1.0, 0.0), (1.0, 0.0), (0.9, 0.0)]);
        let (share, margin) = tally(&[10, 10, 10, 2]);
        assert!((share - 0.8).abs() < 1e-9 && (margin - 0.1732).abs() < 1e-4, "{margin}");
        assert!((tally(&[10, 10, 10, 2].repeat(4)).1 - margin / 2.0).abs() < 1e-9);
    }
}
