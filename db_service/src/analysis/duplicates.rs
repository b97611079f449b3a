//! Files with the same content, in whatever repository.
//!
//! Each share of the table is read in the order of its hashes, by a cursor of its own, and the shares are merged: so what is
//! held in memory is a few rows of each, however large the table is. The server sorts each share, on disk where it must.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use futures_util::future::try_join_all;
use sqlx::{AssertSqlSafe, PgConnection};
use terminal::activity::{Count, Unit};

use super::Analysis;
use super::readers::Reading;
use super::slice::Slice;
use crate::error::Error;

/// Files of a group that are named.
pub const MOST_LISTED: usize = 100;

/// Rows of a share that are read at once.
const BATCH: u32 = 1_000;

/// Files that have one content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duplicates {
    /// `code_files.content_hash`.
    pub hash: Vec<u8>,
    /// How many files; at least two.
    pub count: u64,
    /// The size of one.
    pub bytes: u64,
    /// The first of them, by repository and path, [`MOST_LISTED`] at most.
    pub files: Vec<File>,
}

/// By repository and path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct File {
    /// `code_files.repo_name`.
    pub repository: String,
    /// `code_files.file_path`.
    pub path: String,
}

impl Duplicates {
    /// What all but one of them take.
    #[must_use]
    pub fn wasted(&self) -> u64 {
        (self.count - 1) * self.bytes
    }
}

/// A row of `code_files`, as it is sorted.
type Row = (Vec<u8>, String, String, i64);

/// A share that is read in order.
struct Share {
    /// Which connection reads it, and its cursor's name there.
    reader: usize,
    cursor: String,
    rows: VecDeque<Row>,
    is_over: bool,
}

impl Analysis<'_> {
    /// Groups of files with one content, in the order of their hashes, each as soon as it is known. Holds a batch of rows of
    /// each leaf, and one group.
    ///
    /// # Errors
    /// When there is no connection, or the role may not read `code_files`.
    pub async fn duplicates(&self, mut each: impl FnMut(Duplicates)) -> Result<(), Error> {
        const READING: Reading =
            Reading { table: "code_files", doing: "look for duplicates", phase: "sorting by content", slices: 1 };
        let failed = || READING.failed(self.url);
        let (mut readers, slices) = self.begin(&READING).await?;
        let activity = self.watcher.began(READING.table);
        activity.phase(READING.phase, None);
        let mut shares = open(&mut readers.connections, &slices).await.map_err(failed())?;
        activity.phase("comparing", Some(Count::about(Unit::Rows, 0, 0)));
        // The least row of each share; the least of these is the next of all.
        let mut heads = BinaryHeap::new();
        for (number, share) in shares.iter_mut().enumerate() {
            heads.extend(share.rows.pop_front().map(|row| Reverse((row, number))));
        }
        let mut group: Option<Duplicates> = None;
        while let Some(Reverse(((hash, repository, path, bytes), number))) = heads.pop() {
            let share = &mut shares[number];
            if share.rows.is_empty() {
                activity.advanced(u64::from(BATCH));
                share.read(&mut readers.connections[share.reader]).await.map_err(failed())?;
            }
            heads.extend(share.rows.pop_front().map(|row| Reverse((row, number))));
            let file = File { repository, path };
            match &mut group {
                Some(group) if group.hash == hash => group.add(file),
                other => {
                    let begun = Duplicates { hash, count: 1, bytes: bytes.unsigned_abs(), files: vec![file] };
                    other.replace(begun).filter(|group| group.count > 1).into_iter().for_each(&mut each);
                }
            }
        }
        group.filter(|group| group.count > 1).into_iter().for_each(each);
        readers.close().await;
        Ok(())
    }
}

impl Duplicates {
    fn add(&mut self, file: File) {
        self.count += 1;
        if self.files.len() < MOST_LISTED {
            self.files.push(file);
        }
    }
}

impl Share {
    async fn read(&mut self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        if !self.is_over {
            let fetch = format!("FETCH {BATCH} FROM {}", self.cursor);
            let rows: Vec<Row> = sqlx::query_as(AssertSqlSafe(fetch)).fetch_all(connection).await?;
            self.is_over = rows.len() < BATCH as usize;
            self.rows.extend(rows);
        }
        Ok(())
    }
}

/// A cursor for each slice, with its first rows; the connections sort side by side.
async fn open(connections: &mut [PgConnection], slices: &[Slice]) -> Result<Vec<Share>, sqlx::Error> {
    let readers = connections.len();
    let opened = connections.iter_mut().enumerate().map(async |(reader, connection)| {
        let mut shares = Vec::new();
        for (number, slice) in slices.iter().enumerate().skip(reader).step_by(readers) {
            let cursor = format!("share_{number}");
            // A collation that compares bytes, as this program does.
            let declare = format!(
                "DECLARE {cursor} NO SCROLL CURSOR FOR
                 SELECT t.content_hash, t.repo_name::text COLLATE \"C\", t.file_path::text COLLATE \"C\", t.size_bytes::bigint
                 FROM {} t WHERE {} ORDER BY 1, 2, 3",
                slice.relation,
                slice.condition()
            );
            sqlx::raw_sql(AssertSqlSafe(declare)).execute(&mut *connection).await?;
            let mut share = Share { reader, cursor, rows: VecDeque::new(), is_over: false };
            share.read(connection).await?;
            shares.push(share);
        }
        Ok::<_, sqlx::Error>(shares)
    });
    Ok(try_join_all(opened).await?.into_iter().flatten().collect())
}
