//! The work on one database: its connection, its lock, and what was done so far.

use std::time::Duration;

use database::{DatabaseLock, Worker, connection, transaction};
use sqlx::PgConnection;
use terminal::console::Console;
use terminal::step::Step;

use super::error::LayerError;
use super::telling::Teller;
use crate::target::Target;

pub(crate) struct Session<'a> {
    pub(crate) target: &'a Target,
    pub(crate) console: &'a Console,
    pub(crate) patience: Duration,
    pub(crate) teller: Teller<'a>,
    looks_first: bool,
    is_one_moment: bool,
    reader: Option<PgConnection>,
    locked: Option<Locked>,
    pub(crate) steps: Vec<Step>,
    pub(crate) notes: Vec<String>,
}

/// The lock, and the connection that may change things.
pub(crate) struct Locked {
    pub(crate) lock: DatabaseLock,
    pub(crate) worker: Worker,
}

impl<'a> Session<'a> {
    pub(crate) fn new(target: &'a Target, console: &'a Console, teller: Teller<'a>, patience: Duration) -> Self {
        Self {
            target,
            console,
            patience,
            teller,
            looks_first: false,
            is_one_moment: false,
            reader: None,
            locked: None,
            steps: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Asks the server for the database before connecting to it: one that is not there leaves a FATAL in its log. It costs
    /// a connection more, so it is for a server that is likely not to have it.
    pub(crate) fn looks_first(mut self, looks_first: bool) -> Self {
        self.looks_first = looks_first;
        self
    }

    /// Everything is read as it was at one moment, in one transaction that can write nothing.
    pub(crate) fn of_one_moment(mut self) -> Self {
        self.is_one_moment = true;
        self
    }

    /// A connection to the database, for reading; none if the database does not exist.
    pub(crate) async fn connection(&mut self) -> Result<Option<&mut PgConnection>, LayerError> {
        if let Some(Locked { worker, .. }) = &mut self.locked {
            return Ok(Some(worker));
        }
        if self.reader.is_none() {
            if self.looks_first && !is_listed(self.target).await? {
                return Ok(None);
            }
            match connection::connect(&self.target.url).await {
                Ok(mut connection) => {
                    if self.is_one_moment {
                        let failed = database::Error::sql("begin to read", self.target.name());
                        transaction::read_only_for_good(&mut connection).await.map_err(failed)?;
                    }
                    self.reader = Some(connection);
                }
                Err(error) if error.is_database_missing() => {
                    self.looks_first = true;
                    return Ok(None);
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(self.reader.as_mut())
    }

    /// Whether the database was there when it was last asked for.
    pub(crate) fn is_connected(&self) -> bool {
        self.reader.is_some() || self.locked.is_some()
    }

    /// Keeps other runs away from this database until the session ends; whoever changes something has it from here.
    pub(crate) async fn lock(&mut self) -> Result<&mut Locked, LayerError> {
        if self.locked.is_none() {
            let job = self.console.job(self.target.name());
            let lock = DatabaseLock::acquire(&self.target.url, self.patience, |text| job.announce(text)).await?;
            drop(job);
            let worker = Worker::connect(&lock).await?;
            self.locked = Some(Locked { lock, worker });
            // From now on the worker reads as well.
            if let Some(reader) = self.reader.take() {
                connection::close(reader).await;
            }
        }
        Ok(self.locked.as_mut().expect("locked above"))
    }

    pub(crate) fn report(&mut self, step: Step) {
        self.teller.tell(&step);
        self.steps.push(step);
    }

    /// Frees the lock and the connection. Done as soon as the work on this database is: a run that kept it while its
    /// other databases wait for another run, which in turn waits for this one, would wait for ever.
    pub(crate) async fn end(&mut self) {
        self.teller.end();
        if let Some(Locked { lock, worker }) = self.locked.take() {
            // First the one that works: who takes the lock next waits for it.
            worker.close().await;
            lock.release().await;
        }
        if let Some(reader) = self.reader.take() {
            connection::close(reader).await;
        }
    }
}

/// Whether the server has the database, as it says itself.
async fn is_listed(target: &Target) -> Result<bool, LayerError> {
    let maintenance = target.url.server().maintenance();
    let mut connection = connection::connect(&maintenance).await?;
    let listed = exists(&mut connection, target.name()).await;
    connection::close(connection).await;
    Ok(listed.map_err(database::Error::sql("list the databases", maintenance.database()))?)
}

/// Whether the server that the connection is to has a database of that name.
pub(crate) async fn exists(connection: &mut PgConnection, name: &str) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(r#"SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_database WHERE datname = $1) AS "exists!""#, name)
        .fetch_one(connection)
        .await
}
