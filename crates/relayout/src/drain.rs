//! The drain of the change log: the rows that writers have touched are copied again.
//!
//! It takes keys out of the log, then removes their rows from the copy, then reads them again from the original: three
//! statements of one READ COMMITTED transaction, each of which sees what was committed before it began. So an entry is
//! never taken without its effect, and taking one twice does no harm.
//!
//! It begins when the backfill has ended. A batch that reads a row, is overtaken by the drain of its deletion, and then
//! writes it, would leave a deleted row behind.
//!
//! Several connections drain side by side until the swap: each takes the keys of one share of hashes, so that no key is in
//! two hands. Where something besides the primary key is unique, that would not do: of two rows that have exchanged their
//! values one would be written while the other still has its old one. There, a round takes all that its snapshot sees, and
//! leaves the copy as the table was at that moment.

use std::cell::RefCell;
use std::collections::HashSet;
use std::time::{Duration, Instant};

use database::transaction::{self, End};
use database::{DatabaseLock, Relation, Worker};
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, PgConnection, Postgres, Row as _};
use tokio::time::sleep;

use crate::batch::BatchSize;
use crate::change_log;
use crate::error::Error;
use crate::job::Job;
use crate::key_order;
use crate::workers;

/// Keys that the first round of several takes: where a vector index is large, a row takes milliseconds.
const FIRST: i64 = 50;
/// Most keys that one takes.
const MOST: i64 = 5_000;
/// A round that sees the log and the table as they are at one moment.
const MOMENT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ";
/// So many in a round are about what comes in meanwhile.
const FEW: usize = 20;
/// Before a share that was empty is looked at again.
const PAUSE: Duration = Duration::from_millis(20);
/// The statements for one table, built once.
#[derive(Debug)]
pub(crate) struct Drain {
    table: String,
    /// Rounds have to take all that there is.
    pub(crate) in_whole: bool,
    key_length: usize,
    /// A key's hash, for dividing the log.
    hash: String,
    log: Relation,
    as_text: String,
    remove: String,
    read_again: String,
}

/// The keys that one of several connections takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Share {
    number: usize,
    of: usize,
}

impl Share {
    /// All of them.
    pub(crate) const WHOLE: Self = Self { number: 0, of: 1 };

    fn each(of: usize) -> Vec<Self> {
        (0..of).map(|number| Self { number, of }).collect()
    }
}

impl Drain {
    /// From the old form to the shadow.
    pub(crate) fn new(job: &Job) -> Self {
        let (table, definition) = (&job.table, &job.definition);
        let (source, target, log) = (job.public(), job.shadow(), change_log::log(table));
        let (key, columns) = (definition.key(), definition.copied_columns());
        let (keys, as_text) = (definition.key_columns(""), definition.key_as_text());
        let types = key.iter().filter_map(|name| definition.column(name)).map(|column| &column.data_type);
        // Each parameter holds one column of all keys.
        let arrays = types.enumerate().map(|(index, kind)| format!("${}::text[]::{kind}[]", index + 1));
        let wanted = format!(
            "({keys}) IN (SELECT * FROM ROWS FROM ({}) AS k)",
            arrays.map(|array| format!("pg_catalog.unnest({array})")).collect::<Vec<_>>().join(", ")
        );
        Self {
            table: table.clone(),
            in_whole: definition.has_other_unique(),
            key_length: key.len(),
            hash: format!("pg_catalog.hashtextextended(pg_catalog.concat({as_text}) COLLATE \"C\", 0)"),
            log,
            as_text,
            remove: format!("DELETE FROM {target} WHERE {wanted}"),
            read_again: format!("INSERT INTO {target} ({columns}) SELECT {columns} FROM {source} WHERE {wanted}"),
        }
    }

    fn take(&self, share: Share) -> String {
        let Self { hash, log, as_text, .. } = self;
        let wanted = match share.of {
            1 => String::new(),
            // The sign is no part of it, or the remainder would have one.
            of => format!("WHERE ({hash} & 1048575) % {of} = {}", share.number),
        };
        format!(
            "DELETE FROM {log} WHERE ctid = ANY (ARRAY(SELECT ctid FROM {log} {wanted} LIMIT $1)) RETURNING {as_text}"
        )
    }

    /// One round of the drain, in the caller's transaction; the number of entries taken.
    pub(crate) async fn round(&self, transaction: &mut PgConnection, share: Share) -> Result<usize, sqlx::Error> {
        let most = if self.in_whole { i64::MAX } else { MOST };
        self.take_round(transaction, share, most).await
    }

    async fn take_round(&self, transaction: &mut PgConnection, share: Share, most: i64) -> Result<usize, sqlx::Error> {
        let rows = sqlx::query(AssertSqlSafe(self.take(share))).bind(most).fetch_all(&mut *transaction).await?;
        if rows.is_empty() {
            return Ok(0);
        }
        let columns: Vec<Vec<String>> =
            (0..self.key_length).map(|index| rows.iter().map(|row| row.get(index)).collect()).collect();
        for statement in [&self.remove, &self.read_again] {
            let mut query: Query<'_, Postgres, PgArguments> = sqlx::query(AssertSqlSafe(statement.clone()));
            for column in &columns {
                query = query.bind(column);
            }
            query.execute(&mut *transaction).await?;
        }
        Ok(rows.len())
    }

    /// Leaves the copy as the table was at one moment, if that is asked for: unique indexes can be built then.
    pub(crate) async fn to_one_moment(&self, lock: &DatabaseLock, own: &mut Worker) -> Result<(), Error> {
        if !self.in_whole {
            return Ok(());
        }
        self.round_at_one_moment(own).await.map(drop).map_err(self.failed(lock))
    }

    /// How many entries there are.
    pub(crate) async fn length(&self, own: &mut Worker) -> Result<i64, sqlx::Error> {
        // What was taken is cleared away, or each round would have to read over it.
        let vacuum = format!("VACUUM (TRUNCATE FALSE) {}", self.log);
        sqlx::raw_sql(AssertSqlSafe(vacuum)).execute(&mut **own).await?;
        let count = format!("SELECT count(*) FROM {}", self.log);
        sqlx::query_scalar(AssertSqlSafe(count)).fetch_one(&mut **own).await
    }

    /// Drains side by side until the rounds of all shares find few entries, whatever that leaves in between; false if that
    /// takes longer than `patience`. Before anything besides the key is unique in the copy.
    pub(crate) async fn side_by_side(
        &self,
        lock: &DatabaseLock,
        own: &mut Worker,
        connections: usize,
        patience: Duration,
    ) -> Result<bool, Error> {
        let started = Instant::now();
        let long = RefCell::new(HashSet::new());
        let shares = |connections| {
            long.borrow_mut().extend(0..connections);
            Share::each(connections)
        };
        let drain = async |worker: &mut Worker, share: Share| {
            let mut size = BatchSize::new(FIRST, MOST);
            loop {
                let round = Instant::now();
                let taken = transaction::run(worker, transaction::CHANGE, async |connection| {
                    key_order::follow(connection).await?;
                    self.take_round(connection, share, size.rows()).await.map(End::Commit)
                })
                .await?;
                size.adapt(round.elapsed());
                if taken <= FEW {
                    long.borrow_mut().remove(&share.number);
                } else {
                    long.borrow_mut().insert(share.number);
                }
                if long.borrow().is_empty() || started.elapsed() > patience {
                    return Ok(());
                }
                if taken == 0 {
                    sleep(PAUSE).await;
                }
            }
        };
        workers::divided(lock, own, connections, shares, self.failed(lock), drain).await?;
        Ok(long.into_inner().is_empty())
    }

    /// Rounds at one moment each, until one finds few entries; false if that takes longer than `patience`.
    pub(crate) async fn moments(&self, own: &mut Worker, patience: Duration) -> Result<bool, sqlx::Error> {
        let started = Instant::now();
        while started.elapsed() < patience {
            if self.round_at_one_moment(own).await? <= FEW {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn round_at_one_moment(&self, own: &mut Worker) -> Result<usize, sqlx::Error> {
        transaction::run(own, MOMENT, async |connection| {
            key_order::follow(connection).await?;
            self.take_round(connection, Share::WHOLE, i64::MAX).await.map(End::Commit)
        })
        .await
    }

    /// Whether there are more entries than that.
    pub(crate) async fn is_longer_than(&self, few: i64, connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
        let length = format!("SELECT count(*) FROM (SELECT FROM {} LIMIT $1 + 1) l", self.log);
        let length: i64 = sqlx::query_scalar(AssertSqlSafe(length)).bind(few).fetch_one(connection).await?;
        Ok(length > few)
    }

    pub(crate) fn outrun(&self, lock: &DatabaseLock) -> Error {
        Error::Outrun { table: self.table.clone(), database: lock.url().database().to_owned() }
    }

    pub(crate) fn failed(&self, lock: &DatabaseLock) -> impl Fn(sqlx::Error) -> Error + use<> {
        Error::during(&format!("drain the change log of table `{}`", self.table), lock.url().database())
    }
}
