//! How much there is, by repository and language.

use std::cell::RefCell;
use std::collections::BTreeMap;

use sqlx::{AssertSqlSafe, PgConnection};

use super::Analysis;
use super::readers::Reading;
use super::slice::Slice;
use crate::error::Error;

/// The files of one repository in one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Size {
    /// `code_files.repo_name`.
    pub repository: String,
    /// `code_files.language`; none where it is not known.
    pub language: Option<String>,
    /// Rows.
    pub files: u64,
    /// The sum of `size_bytes`.
    pub bytes: u64,
}

impl Analysis<'_> {
    /// How many files, and how large, by repository and language, in this order. Holds one entry for each of these.
    ///
    /// # Errors
    /// When there is no connection, or the role may not read `code_files`.
    pub async fn sizes(&self) -> Result<Vec<Size>, Error> {
        const READING: Reading =
            Reading { table: "code_files", doing: "count the files", phase: "counting", slices: 8 };
        let sums = RefCell::new(BTreeMap::<(String, Option<String>), (u64, u64)>::new());
        let count = async |connection: &mut PgConnection, slice: &Slice| {
            let sql = format!(
                "SELECT t.repo_name::text, t.language::text, pg_catalog.count(*), COALESCE(pg_catalog.sum(t.size_bytes), 0)::bigint
                 FROM {} t WHERE {} GROUP BY 1, 2",
                slice.relation,
                slice.condition()
            );
            let rows: Vec<(String, Option<String>, i64, i64)> =
                sqlx::query_as(AssertSqlSafe(sql)).fetch_all(connection).await?;
            for (repository, language, files, bytes) in rows {
                let mut sums = sums.borrow_mut();
                let sum = sums.entry((repository, language)).or_default();
                sum.0 += files.unsigned_abs();
                sum.1 += bytes.unsigned_abs();
            }
            Ok(())
        };
        self.for_each_slice(&READING, count).await?;
        let sums = sums.into_inner().into_iter();
        Ok(sums.map(|((repository, language), (files, bytes))| Size { repository, language, files, bytes }).collect())
    }
}
