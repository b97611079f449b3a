//! Pairs of vectors that are nearly the same.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};

use futures_util::TryStreamExt as _;
use sqlx::{AssertSqlSafe, PgConnection};

use super::Analysis;
use super::readers::Reading;
use super::slice::Slice;
use crate::error::Error;
use crate::search::Recall;

/// Which pairs are meant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Likeness {
    /// Their cosine similarity at least, from -1 to 1: 1 less the cosine distance.
    pub similarity: f64,
    /// So many of a vector's nearest are looked at, itself among them.
    pub nearest: u32,
    /// How they are searched for.
    pub recall: Recall,
}

/// Two stored vectors of one model.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    /// `embeddings.repo_name` and `path` of the first by these.
    pub one: (String, String),
    /// Of the other.
    pub other: (String, String),
    /// Their cosine distance, computed from the stored vectors.
    pub distance: f64,
}

/// What was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pairs {
    /// Pairs that were found.
    pub found: u64,
    /// Vectors that have no fewer so similar ones than were looked at: some of their pairs may be missing.
    pub crowded: u64,
}

/// A vector, one of its nearest, and the place of that among them.
type Row = (String, String, String, String, f64, bool);

impl Analysis<'_> {
    /// Pairs of vectors that are at least so similar, each once, as they are found: one search across all repositories for each
    /// vector. Holds eight bytes for each pair.
    ///
    /// With [`Recall::Exact`] every vector is compared with every other one, which takes as long as it sounds.
    ///
    /// # Errors
    /// When there is no connection, the layer's functions are not there, or the role may not read `embeddings`.
    pub async fn pairs(&self, likeness: &Likeness, each: impl FnMut(Pair)) -> Result<Pairs, Error> {
        const READING: Reading =
            Reading { table: "embeddings", doing: "look for pairs", phase: "searching for pairs", slices: 16 };
        let (hasher, seen, each) = (RandomState::new(), RefCell::new(HashSet::new()), RefCell::new(each));
        let crowded = Cell::new(0);
        let search = async |connection: &mut PgConnection, slice: &Slice| {
            let sql = format!(
                "SELECT t.repo_name::text, t.path::text, s.repo_name, s.path, s.distance,
                        s.place OPERATOR(pg_catalog.=) $1::integer AND s.distance OPERATOR(pg_catalog.<=) $2
                 FROM {} t
                 CROSS JOIN LATERAL ROWS FROM (
                     db_service.search_across(t.embedding, $1, t.model::text, recall => $3)
                 ) WITH ORDINALITY s (repo_name, path, distance, way, place)
                 WHERE {} AND public.vector_norm(t.embedding) OPERATOR(pg_catalog.>) 0
                   AND s.distance OPERATOR(pg_catalog.<=) $2",
                slice.relation,
                slice.condition()
            );
            let mut rows = sqlx::query_as::<_, Row>(AssertSqlSafe(sql))
                .bind(i32::try_from(likeness.nearest).unwrap_or(i32::MAX))
                .bind(1.0 - likeness.similarity)
                .bind(likeness.recall.name())
                .fetch(connection);
            while let Some((repository, path, other_repository, other_path, distance, is_last)) =
                rows.try_next().await?
            {
                crowded.update(|crowded| crowded + u64::from(is_last));
                let (mut one, mut other) = ((repository, path), (other_repository, other_path));
                if one == other {
                    continue;
                }
                if other < one {
                    std::mem::swap(&mut one, &mut other);
                }
                // Most are found from both sides, but one may be so crowded that it does not see the other.
                if seen.borrow_mut().insert(hasher.hash_one((&one, &other))) {
                    (each.borrow_mut())(Pair { one, other, distance });
                }
            }
            Ok(())
        };
        self.for_each_slice(&READING, search).await?;
        let found = u64::try_from(seen.into_inner().len()).unwrap_or(u64::MAX);
        Ok(Pairs { found, crowded: crowded.into_inner() })
    }
}
