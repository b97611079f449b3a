//! Searches of several contenders, interleaved, with the recall of each beside its times.

use std::time::{Duration, Instant};

use database::{DatabaseUrl, connection};
use futures_util::future::try_join_all;
use sqlx::{AssertSqlSafe, PgConnection};

use super::cases::Case;
use super::contender::{Contender, K, Side};
use crate::percentile::percentile;
use crate::session;
use crate::vector::Vector;

/// What is asked for.
pub(crate) const WANTED_RECALL: f64 = 0.99;

/// Searches of each before any is measured: plans are made, pages are read.
const WARM_UP: usize = 6;

/// How long one contender's clients search before it is another's turn, and how often it is its turn.
const ROUND: (Duration, u32) = (Duration::from_millis(1500), 2);

#[derive(Clone, Debug)]
pub(crate) struct Contest {
    pub(crate) case: Case,
    /// The best of each side.
    pub(crate) outcomes: Vec<Outcome>,
}

#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) contender: Contender,
    /// Of the ten nearest by comparing all, those that are found; what is as near as the tenth counts as one of them.
    pub(crate) recall: f64,
    /// Rows that there are, and that were not given.
    pub(crate) missing: usize,
    pub(crate) way: String,
    pub(crate) alone: Times,
    /// By how many clients at once.
    pub(crate) crowds: Vec<(u16, Times)>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Times {
    pub(crate) p50: Duration,
    pub(crate) p95: Duration,
}

impl Times {
    fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self { p50: percentile(&times, 50), p95: percentile(&times, 95) }
    }
}

impl Contest {
    pub(crate) fn of(&self, side: Side) -> Option<&Outcome> {
        self.outcomes.iter().find(|outcome| outcome.contender.side == side)
    }
}

/// Every contender's turn comes with every query.
pub(crate) async fn run(
    url: &DatabaseUrl,
    case: Case,
    queries: &[Vector],
    clients: &[u16],
) -> Result<Contest, sqlx::Error> {
    let mut runs = Vec::new();
    for contender in &case.contenders {
        let mut connection = contender.connect(url).await?;
        for query in queries.iter().take(WARM_UP) {
            contender.search(&mut connection, query).await?;
        }
        runs.push(Run { contender, connection, times: Vec::new(), found: 0, missing: 0, way: String::new() });
    }
    let mut truth = Oracle::connect(url).await?;
    let mut all = 0;
    for (turn, query) in queries.iter().enumerate() {
        let nearest = truth.nearest(&case.condition, query).await?;
        all += nearest.len();
        let first = turn % runs.len();
        for at in (first..runs.len()).chain(0..first) {
            runs[at].search(query, &nearest).await?;
        }
    }
    connection::close(truth.0).await;
    let mut outcomes = Vec::new();
    for run in runs {
        connection::close(run.connection).await;
        #[expect(clippy::cast_precision_loss, reason = "a share")]
        let recall = if all == 0 { 1.0 } else { run.found as f64 / all as f64 };
        let (contender, missing, way) = (run.contender.clone(), run.missing, run.way);
        outcomes.push(Outcome { contender, recall, missing, way, alone: Times::of(run.times), crowds: Vec::new() });
    }
    let mut outcomes = best(outcomes);
    for count in clients.iter().filter(|count| **count > 1) {
        let mut times = vec![Vec::new(); outcomes.len()];
        for _ in 0..ROUND.1 {
            for (outcome, times) in outcomes.iter().zip(&mut times) {
                times.extend(crowd(url, &outcome.contender, queries, *count).await?);
            }
        }
        for (outcome, times) in outcomes.iter_mut().zip(times) {
            outcome.crowds.push((*count, Times::of(times)));
        }
    }
    Ok(Contest { case, outcomes })
}

/// Of each side the fastest that finds enough; if none does, the one that finds most.
fn best(outcomes: Vec<Outcome>) -> Vec<Outcome> {
    let mut best: Vec<Outcome> = Vec::new();
    for outcome in outcomes {
        let is_enough = |it: &Outcome| it.recall >= WANTED_RECALL && it.missing == 0;
        match best.iter_mut().find(|it| it.contender.side == outcome.contender.side) {
            None => best.push(outcome),
            Some(other) => {
                let is_better = match (is_enough(&outcome), is_enough(other)) {
                    (true, true) => outcome.alone.p50 < other.alone.p50,
                    (false, false) => outcome.recall > other.recall,
                    (enough, _) => enough,
                };
                if is_better {
                    *other = outcome;
                }
            }
        }
    }
    best
}

struct Run<'a> {
    contender: &'a Contender,
    connection: PgConnection,
    times: Vec<Duration>,
    found: usize,
    missing: usize,
    way: String,
}

impl Run<'_> {
    async fn search(&mut self, query: &Vector, nearest: &[f64]) -> Result<(), sqlx::Error> {
        let started = Instant::now();
        let (distances, way) = self.contender.search(&mut self.connection, query).await?;
        self.times.push(started.elapsed());
        let farthest = nearest.last().copied().unwrap_or(f64::NEG_INFINITY);
        self.found += distances.iter().filter(|distance| **distance <= farthest).count().min(nearest.len());
        self.missing += nearest.len().saturating_sub(distances.len());
        self.way = way;
        Ok(())
    }
}

/// Some clients that search at once for a while.
async fn crowd(
    url: &DatabaseUrl,
    contender: &Contender,
    queries: &[Vector],
    count: u16,
) -> Result<Vec<Duration>, sqlx::Error> {
    let mut connections = Vec::new();
    for number in 0..usize::from(count) {
        let mut connection = contender.connect(url).await?;
        contender.search(&mut connection, &queries[number % queries.len()]).await?;
        connections.push(connection);
    }
    let until = Instant::now() + ROUND.0;
    let clients = connections.into_iter().enumerate().map(|(number, mut connection)| async move {
        let mut times = Vec::new();
        for query in queries.iter().cycle().skip(number) {
            let started = Instant::now();
            if started >= until {
                break;
            }
            contender.search(&mut connection, query).await?;
            times.push(started.elapsed());
        }
        connection::close(connection).await;
        Ok::<_, sqlx::Error>(times)
    });
    Ok(try_join_all(clients).await?.concat())
}

/// Comparing all rows.
struct Oracle(PgConnection);

impl Oracle {
    async fn connect(url: &DatabaseUrl) -> Result<Self, sqlx::Error> {
        session::connect(url).await.map(Self)
    }

    /// The distances of the nearest, in order.
    async fn nearest(&mut self, condition: &str, query: &Vector) -> Result<Vec<f64>, sqlx::Error> {
        let sql = format!(
            "SELECT distance FROM (
                 SELECT embedding <=> $1 AS distance FROM public.embeddings WHERE {condition}) e
             ORDER BY distance + 0 LIMIT {K}"
        );
        sqlx::query_scalar(AssertSqlSafe(sql)).bind(query.clone()).fetch_all(&mut self.0).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(side: Side, name: &str, recall: f64, milliseconds: u64) -> Outcome {
        let time = Duration::from_millis(milliseconds);
        Outcome {
            contender: Contender::new(side, name, "", String::new()),
            recall,
            missing: 0,
            way: String::new(),
            alone: Times { p50: time, p95: time },
            crowds: Vec::new(),
        }
    }

    #[test]
    fn the_fastest_that_finds_enough_stands_for_its_side() {
        let outcomes = vec![
            outcome(Side::Ours, "ours", 0.5, 9),
            outcome(Side::Flat, "hasty", 0.9, 1),
            outcome(Side::Flat, "thorough", 1.0, 7),
            outcome(Side::Flat, "enough", 0.99, 3),
            outcome(Side::Leaves, "little", 0.7, 1),
            outcome(Side::Leaves, "more", 0.8, 2),
        ];
        let best = best(outcomes);
        assert_eq!(best.iter().map(|it| &*it.contender.name).collect::<Vec<_>>(), ["ours", "enough", "more"]);
    }

    #[test]
    fn percentiles_are_of_the_sorted_times() {
        let times = Times::of((1..=100).rev().map(Duration::from_millis).collect());
        assert_eq!((times.p50, times.p95), (Duration::from_millis(51), Duration::from_millis(96)));
        assert_eq!(Times::of(Vec::new()), Times::default());
    }
}
