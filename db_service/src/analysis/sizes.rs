//! How much there is, by repository and language.

use std::cell::RefCell;
use std::collections::BTreeMap;

use sqlx::{AssertSqlSafe, PgConnection};
use terminal::activity::{Count, Unit};

use super::Analysis;
use super::readers::Readers;
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
        let failed = || database::Error::sql("count the files", self.url.database());
        let mut readers = Readers::open(self.url, self.connections).await?;
        let least = 8 * readers.connections.len();
        let slices = Slice::of(&mut readers.connections[0], "code_files", least).await.map_err(failed())?;
        let activity = self.watcher.began("code_files");
        let all = slices.iter().map(|slice| slice.bytes).sum();
        activity.phase("counting", Some(Count::of(Unit::Bytes, all)));
        let sums = RefCell::new(BTreeMap::<(String, Option<String>), (u64, u64)>::new());
        let count = async |connection: &mut PgConnection, slice: Slice| {
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
            activity.advanced(slice.bytes);
            Ok(())
        };
        readers.work_off(slices, count).await.map_err(failed())?;
        readers.close().await;
        let sums = sums.into_inner().into_iter();
        Ok(sums.map(|((repository, language), (files, bytes))| Size { repository, language, files, bytes }).collect())
    }
}
