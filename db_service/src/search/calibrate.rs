//! What a wanted recall takes, measured on the rows at hand and kept in `db_service.search_setting`.

use database::transaction::{self, End};
use sqlx::PgConnection;
use terminal::activity::{Count, Unit, Watcher};

use super::recall::{Found, Made, Sample, measure};
use super::{Error, Recall, Scope};

/// A setting that was tried out.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibrated {
    /// The index: `hnsw`, `halfvec`, `bits` or `vchordrq`.
    pub way: String,
    /// The recall that is wanted.
    pub recall: Recall,
    /// How many candidates the index was asked for before; of `vchordrq`, how many of its lists were read.
    pub before: i32,
    /// How many it is asked for now.
    pub ef_search: i32,
    /// What is found with it, from 0 to 1.
    pub measured: f64,
}

impl Calibrated {
    /// Whether so much is found as was wanted; where not, as much as the index can give.
    #[must_use]
    pub fn is_reached(&self) -> bool {
        self.measured >= wanted(self.recall)
    }

    /// Whether the setting is another one now.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.before != self.ef_search
    }
}

/// What is tried, one after the other; pgvector takes no more than the last.
const STEPS: [i32; 19] = [3, 6, 10, 20, 30, 40, 60, 80, 100, 120, 150, 200, 250, 300, 400, 500, 600, 800, 1000];

/// Few lists may be enough; fewer candidates than twice the wanted rows never are.
fn steps(way: &str) -> impl Iterator<Item = i32> {
    let least = if way == "vchordrq" { 1 } else { 20 };
    STEPS.into_iter().filter(move |step| *step >= least)
}

/// What a name means.
#[must_use]
pub fn wanted(recall: Recall) -> f64 {
    match recall {
        Recall::Fast => 0.95,
        Recall::Balanced => 0.99,
        Recall::Exact => 1.0,
    }
}

/// Finds for each index that searches use the least that gives the recall that is wanted: the index of the largest repository's
/// leaf, and that of the codes. An index that no search takes, because there are few rows, is passed over.
///
/// Searches of others see nothing of it before its end.
///
/// # Errors
/// As those of a search; also if the role may not change the settings.
pub async fn calibrate(
    connection: &mut PgConnection,
    searches: u32,
    watcher: &dyn Watcher,
) -> Result<Vec<Calibrated>, Error> {
    // Where there is no such table, no search is needed to say so.
    setting(connection, "hnsw", Recall::Balanced).await?;
    let activity = watcher.began("calibration");
    let mut scopes = vec![Scope::Everywhere];
    scopes.extend(largest(connection).await?.map(Scope::Repository));
    let mut calibrated = Vec::new();
    for scope in scopes {
        activity.phase("comparing everything", None);
        let samples = Sample::take(connection, &scope, searches, Made::Between).await?;
        for recall in [Recall::Fast, Recall::Balanced] {
            let found = measure(connection, &samples, recall).await?;
            let [way] = found.ways.as_slice() else { continue };
            let Some(before) = setting(connection, way, recall).await? else { continue };
            activity.phase("searching", Some(Count::about(Unit::Rows, 0, steps(way).count() as u64)));
            let search = async |connection: &mut PgConnection| {
                let mut tried = Vec::new();
                for ef_search in steps(way) {
                    set(connection, way, recall, ef_search, None).await?;
                    let found = measure(connection, &samples, recall).await?;
                    activity.advanced(1);
                    let is_sure = found.is_surely(wanted(recall));
                    tried.push((ef_search, found));
                    if is_sure {
                        break;
                    }
                }
                let best = chosen(&tried, wanted(recall)).unwrap_or((before, found.recall));
                set(connection, way, recall, best.0, Some(best.1)).await?;
                Ok::<_, Error>(End::Commit(best))
            };
            let (ef_search, measured) =
                transaction::run_with(connection, transaction::CHANGE, Error::from, search).await?;
            calibrated.push(Calibrated { way: way.clone(), recall, before, ef_search, measured });
        }
    }
    Ok(calibrated)
}

/// Of what was tried, in order: the first that is surely enough; else the first that seems to be; else the last.
fn chosen(tried: &[(i32, Found)], wanted: f64) -> Option<(i32, f64)> {
    let surely = tried.iter().find(|(_, found)| found.is_surely(wanted));
    let enough = || tried.iter().find(|(_, found)| found.recall >= wanted);
    surely.or_else(enough).or(tried.last()).map(|(ef_search, found)| (*ef_search, found.recall))
}

/// The repository that has most vectors.
async fn largest(connection: &mut PgConnection) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT e.repo_name AS "repository!" FROM public.embeddings e GROUP BY 1 ORDER BY pg_catalog.count(*) DESC, 1 LIMIT 1"#
    )
    .fetch_optional(connection)
    .await
}

/// How many candidates an index is asked for; none for what is no index.
async fn setting(connection: &mut PgConnection, way: &str, recall: Recall) -> Result<Option<i32>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT ef_search FROM db_service.search_setting WHERE way = $1 AND recall = $2",
        way,
        recall.name()
    )
    .fetch_optional(connection)
    .await
}

/// The signs of a vector say so little that all candidates have to be compared; half precision changes the order of the
/// nearest hardly ever, and `vchordrq` has compared by it already; a leaf's index is read on, and gives distances for nothing.
async fn set(
    connection: &mut PgConnection,
    way: &str,
    recall: Recall,
    ef_search: i32,
    measured: Option<f64>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE db_service.search_setting
         SET ef_search = $3, measured = $4,
             more = CASE way WHEN 'vchordrq' THEN 10
                    ELSE LEAST(CASE way WHEN 'bits' THEN 1000 WHEN 'halfvec' THEN 10 ELSE 60 END, GREATEST($3 - 10, 0)) END
         WHERE way = $1 AND recall = $2",
        way,
        recall.name(),
        ef_search,
        measured,
    )
    .execute(connection)
    .await
    .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_surely_enough_is_chosen_else_what_seems_to_be() {
        let tried = |margin| {
            let found = |recall, margin| Found { recall, margin, ..Found::default() };
            [(20, found(0.97, 0.01)), (30, found(0.992, 0.01)), (40, found(0.995, margin))]
        };
        assert_eq!(chosen(&tried(0.004), 0.99), Some((40, 0.995)));
        assert_eq!(chosen(&tried(0.01), 0.99), Some((30, 0.992)), "nothing was sure");
        assert_eq!(chosen(&tried(0.01), 0.999), Some((40, 0.995)), "nothing was enough");
        assert_eq!(chosen(&[], 0.99), None);
    }
}
