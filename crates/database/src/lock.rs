//! One runner a database at a time.
//!
//! A session that *waits* in `pg_advisory_lock` holds a snapshot, and `CREATE INDEX CONCURRENTLY` in the session that has
//! the lock waits for every older snapshot: the two deadlock, and an invalid index stays behind. So the lock is polled
//! with `pg_try_advisory_lock` on a connection of its own, which is idle and outside any transaction the whole time.
//! Closing it frees the lock, whatever became of the work.
//!
//! Two keys are taken: ours, and the one that sqlx's own `Migrator` takes in this database, so that a program that uses
//! sqlx directly and we keep each other out.
//!
//! A run that is killed frees the lock at once, but the server goes on with the statement that it was given. So whoever
//! changes something holds a third key, shared, on the very connection that does it
//! ([`Worker`](crate::worker::Worker)); and a new run waits until nobody has it any more.

use std::time::{Duration, Instant};

use sqlx::PgConnection;
use tokio::time::sleep;

use crate::connection::{close, connect, first_answer};
use crate::error::Error;
use crate::pooler::is_pooled;
use crate::retry::Backoff;
use crate::server::Server;
use crate::url::DatabaseUrl;

/// `b"singular"` as a number.
const OUR_KEY: i64 = i64::from_be_bytes(*b"singular");

/// `b"workers!"` as a number: held, shared, by each connection that changes something.
pub(crate) const WORKER_KEY: i64 = i64::from_be_bytes(*b"workers!");

/// Held until released or dropped.
#[derive(Debug)]
pub struct DatabaseLock {
    url: DatabaseUrl,
    connection: PgConnection,
}

impl DatabaseLock {
    /// Takes both keys, waiting at most `patience` for another runner; `on_wait` is called once if there is one.
    ///
    /// # Errors
    /// [`Error::LockHeld`] when the other runner does not finish in time; [`Error::Pooled`]; [`Error::Standby`];
    /// [`Error::TooOld`].
    pub async fn acquire(url: &DatabaseUrl, patience: Duration, on_wait: impl Fn(&str)) -> Result<Self, Error> {
        let database = url.database();
        let mut connection = connect(url).await?;
        let failed = || Error::sql("take the migration lock", database);
        let mut other = connect(url).await?;
        // A pool that has no session left lets us in all the same, and has us wait.
        let pooled =
            first_answer(url, async || is_pooled(&mut connection, &mut other).await).await?.map_err(failed())?;
        close(other).await;
        if pooled {
            return Err(Error::Pooled { database: database.to_owned() });
        }
        // Here and not with each statement: whoever asks for the lock is about to write.
        let server = Server::read(&mut connection, url).await?;
        server.takes_writes(database)?;
        server.is_supported()?;
        let set = "SET statement_timeout = 0; SET idle_session_timeout = 0";
        let set = async || sqlx::raw_sql(set).execute(&mut connection).await;
        first_answer(url, set).await?.map_err(failed())?;
        let started = Instant::now();
        let mut backoff = Backoff::new(Duration::from_millis(5), Duration::from_millis(250));
        let mut announced = false;
        for key in [OUR_KEY, sqlx_key(database), WORKER_KEY] {
            while !sqlx::query_scalar!(r#"SELECT pg_catalog.pg_try_advisory_lock($1) AS "taken!""#, key)
                .fetch_one(&mut connection)
                .await
                .map_err(failed())?
            {
                if started.elapsed() >= patience {
                    let holder = holder(&mut connection, key).await.map_err(failed())?;
                    return Err(Error::LockHeld { database: database.to_owned(), waited: started.elapsed(), holder });
                }
                // Another database of the same run is done within a second; that is nothing to tell.
                if !announced && started.elapsed() >= Duration::from_secs(1) {
                    announced = true;
                    on_wait(&format!("Waiting for another run on database `{database}`"));
                }
                sleep(backoff.pause()).await;
            }
        }
        // Nobody has it: what a killed run began has ended. Our own workers share it from now on.
        sqlx::query!("SELECT pg_catalog.pg_advisory_unlock($1)", WORKER_KEY)
            .fetch_one(&mut connection)
            .await
            .map_err(failed())?;
        Ok(Self { url: url.clone(), connection })
    }

    /// The database that it is about.
    #[must_use]
    pub fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    /// Frees the lock.
    pub async fn release(self) {
        close(self.connection).await;
    }
}

/// The key that sqlx 0.9 derives from a database's name (`generate_lock_id` in `sqlx-postgres/src/migrate.rs`).
fn sqlx_key(database: &str) -> i64 {
    const CRC: crc::Crc<u32> = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);
    0x3d32_ad9e * i64::from(CRC.checksum(database.as_bytes()))
}

/// Who is at work on the database of this connection: `pid 123 (singularity, connected since 10:00:00)`.
///
/// # Errors
/// When the query fails.
pub async fn runner(connection: &mut PgConnection) -> Result<Option<String>, sqlx::Error> {
    holder(connection, OUR_KEY).await
}

async fn holder(connection: &mut PgConnection, key: i64) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT format('pid %s (%s, connected since %s)', a.pid, a.application_name, to_char(a.backend_start, 'HH24:MI:SS')) AS "holder!"
           FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a USING (pid)
           WHERE l.locktype = 'advisory' AND l.granted AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
             AND (l.classid::bigint << 32 | l.objid::bigint) = $1"#,
        key
    )
    .fetch_optional(connection)
    .await
}
