//! What the database has of the filter.

use sqlx::{PgConnection, PgExecutor};

use super::bloom::Bloom;
use super::damage::Damage;
use super::error::Error;
use super::written::{self, Epoch};

/// How far a process has come: what it read with one snapshot, it need not read again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) epoch: Epoch,
    /// Of the server: numbers of transactions are good for one run of it.
    run: String,
    /// The first transaction that was not over.
    pub(super) horizon: String,
    /// Which transactions were under way; none where that cannot be told.
    seen: Option<String>,
}

/// What there was to be seen at one moment.
pub(super) struct Seen {
    pub(super) position: Position,
    /// Of what was written since, eight bytes each.
    pub(super) keys: Vec<Vec<u8>>,
    chunks: usize,
}

/// Looks what has been committed since a position, else since the filter was built; fails where what is there does not hold.
///
/// What is committed is in it, once the statement has begun; so nothing is missed that has been committed before the call.
pub(super) async fn look(executor: impl PgExecutor<'_>, since: Option<&Position>) -> Result<Seen, Error> {
    let horizon = since.map(|position| position.horizon.as_str());
    let seen = since.and_then(|position| position.seen.as_deref());
    let rows = sqlx::query_file!("queries/content_keys.sql", horizon, seen).fetch_all(executor).await?;
    let first = rows.first().ok_or(Error::NotBuilt)?;
    if !first.is_wanted {
        return Err(Error::Off);
    }
    if first.is_subscribed {
        return Err(Error::NotKept { why: "`code_files` is written by a subscription, which fires no trigger" });
    }
    if !first.is_in_place {
        return Err(Error::NotKept { why: "its triggers are not on `code_files` and all of its leaves" });
    }
    if !first.is_built {
        return Err(Error::NotBuilt);
    }
    if !first.is_here {
        return Err(Damage::Elsewhere.into());
    }
    let position = Position {
        epoch: first.epoch.as_slice().try_into().map_err(|_| Error::NotBuilt)?,
        run: first.run.clone(),
        horizon: first.horizon.clone(),
        seen: first.seen.clone(),
    };
    let chunks = usize::try_from(first.chunks).unwrap_or_default();
    Ok(Seen { position, keys: rows.into_iter().filter_map(|row| row.keys).collect(), chunks })
}

impl Position {
    /// Whether what was read since another one goes on from there.
    pub(super) fn continues(&self, other: &Self) -> bool {
        self.epoch == other.epoch && self.run == other.run
    }
}

impl Seen {
    /// The filter with all that has been written since it was built; in the transaction in which that was looked at, which has
    /// one snapshot.
    pub(super) async fn load(&self, connection: &mut PgConnection) -> Result<Bloom, Error> {
        let bloom = self.stored(connection).await?;
        self.keys.iter().for_each(|keys| bloom.insert_all(keys));
        Ok(bloom)
    }

    async fn stored(&self, connection: &mut PgConnection) -> Result<Bloom, Error> {
        let epoch = &self.position.epoch;
        let rows = sqlx::query_file!("queries/content_chunks.sql", &epoch[..]).fetch_all(connection).await?;
        let is_whole = rows.len() == self.chunks && rows.iter().zip(0..).all(|(row, number)| row.number == number);
        if !is_whole {
            return Err(Damage::Pieces { found: rows.len(), wanted: self.chunks }.into());
        }
        let pieces: Vec<Vec<u8>> = rows.into_iter().map(|row| row.bytes).collect();
        Ok(written::read(&pieces, epoch)?)
    }
}
