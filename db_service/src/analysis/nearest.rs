//! The true nearest neighbours, by comparing everything: what searches are measured against.

use std::cell::RefCell;

use sqlx::{AssertSqlSafe, PgConnection};

use super::Analysis;
use super::readers::Reading;
use super::slice::Slice;
use crate::error::Error;
use crate::search::vector_text;

/// Which vectors are compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Among {
    /// Those of this repository.
    pub repository: Option<String>,
    /// Those of this model.
    pub model: Option<String>,
}

/// A stored vector.
#[derive(Clone, Debug, PartialEq)]
pub struct Neighbour {
    /// `embeddings.repo_name`.
    pub repository: String,
    /// `embeddings.path`.
    pub path: String,
    /// Cosine distance to what was asked for.
    pub distance: f64,
}

impl Analysis<'_> {
    /// The `k` nearest of each of these vectors, of 768 components each, by distance, then repository and path; a stored vector
    /// of zeros is near to nothing. Every vector is read once for each that is asked for. Holds the nearest of all.
    ///
    /// # Errors
    /// When there is no connection, a vector is none, or the role may not read `embeddings`.
    pub async fn nearest(&self, vectors: &[Vec<f32>], k: u32, among: &Among) -> Result<Vec<Vec<Neighbour>>, Error> {
        const READING: Reading =
            Reading { table: "embeddings", doing: "compare all vectors", phase: "comparing everything", slices: 8 };
        let texts: Vec<String> = vectors.iter().map(|vector| vector_text(vector)).collect();
        let nearest = RefCell::new(vec![Vec::new(); vectors.len()]);
        let compare = async |connection: &mut PgConnection, slice: &Slice| {
            // Each vector is read once, and not for every row; and each distance is computed once, and not anew where its
            // name stands.
            let sql = format!(
                "WITH asked AS MATERIALIZED (
                     SELECT a.number, a.text::public.vector AS vector
                     FROM ROWS FROM (pg_catalog.unnest($1::text[])) WITH ORDINALITY a (text, number))
                 SELECT a.number, n.repo_name, n.path, n.distance
                 FROM asked a
                 CROSS JOIN LATERAL (
                     SELECT c.repo_name, c.path, c.distance
                     FROM (SELECT t.repo_name::text, t.path::text, t.embedding OPERATOR(public.<=>) a.vector AS distance
                           FROM {} t
                           WHERE {} AND ($3::text IS NULL OR t.repo_name OPERATOR(pg_catalog.=) $3)
                             AND ($4::text IS NULL OR t.model::text OPERATOR(pg_catalog.=) $4)
                           OFFSET 0) c
                     WHERE c.distance OPERATOR(pg_catalog.<>) 'NaN'
                     ORDER BY c.distance, c.repo_name COLLATE \"C\", c.path COLLATE \"C\"
                     LIMIT $2) n",
                slice.relation,
                slice.condition()
            );
            let rows: Vec<(i64, String, String, f64)> = sqlx::query_as(AssertSqlSafe(sql))
                .bind(&texts)
                .bind(i64::from(k))
                .bind(&among.repository)
                .bind(&among.model)
                .fetch_all(connection)
                .await?;
            let mut nearest = nearest.borrow_mut();
            for (number, repository, path, distance) in rows {
                let place = usize::try_from(number - 1).unwrap_or_default();
                nearest[place].push(Neighbour { repository, path, distance });
            }
            nearest.iter_mut().for_each(|some| keep(some, k));
            Ok(())
        };
        self.for_each_slice(&READING, compare).await?;
        Ok(nearest.into_inner())
    }
}

/// The nearest of what several slices gave.
fn keep(nearest: &mut Vec<Neighbour>, k: u32) {
    nearest.sort_by(|one, other| {
        let by_name = || (&one.repository, &one.path).cmp(&(&other.repository, &other.path));
        one.distance.total_cmp(&other.distance).then_with(by_name)
    });
    nearest.truncate(usize::try_from(k).unwrap_or(usize::MAX));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_of_all_slices_are_kept_in_order() {
        let neighbour = |path: &str, distance| Neighbour { repository: "r".into(), path: path.into(), distance };
        let mut nearest = vec![neighbour("d", 0.5), neighbour("b", 0.25), neighbour("c", 0.75), neighbour("a", 0.5)];
        keep(&mut nearest, 3);
        assert_eq!(nearest.iter().map(|it| it.path.as_str()).collect::<Vec<_>>(), ["b", "a", "d"]);
    }
}
